-- The database as it is now, for reading. What runs are the files in migrations/; a test proves that they make this.
-- Times are timestamptz in UTC. Scores are percent, 0..100; PostgreSQL sorts NaN above every number, so "<= 100" keeps it out.

-- Benchmarks ----------------------------------------------------------------------------------------------------------

CREATE TABLE benchmarks (
    id                text PRIMARY KEY,
    title             text NOT NULL,
    description       text NOT NULL DEFAULT '',
    kind              text NOT NULL CHECK (kind IN ('scored', 'published')),
    dimensions        jsonb NOT NULL,              -- [{id, label, title, unit, better}], in the order of the board
    ranking_dimension text NOT NULL,               -- the board's default order
    operations        text[] NOT NULL DEFAULT '{}',
    position          integer NOT NULL DEFAULT 100, -- order among the benchmarks
    current_version   text                         -- NULL for published boards: nothing of them is scored here
);

-- One row for each content that was ever registered; the version is a hash over both parts.
CREATE TABLE benchmark_versions (
    benchmark_id  text NOT NULL REFERENCES benchmarks (id),
    version       text NOT NULL,
    protocol      text NOT NULL,
    detector      text NOT NULL,
    judge         text NOT NULL,
    manifest      json NOT NULL,                   -- benchmark.json, byte for byte: json, not jsonb
    public_key    text NOT NULL,                   -- storage keys
    hidden_key    text NOT NULL,                   -- only the worker ever opens it
    registered_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (benchmark_id, version)
);

ALTER TABLE benchmarks
    ADD CONSTRAINT benchmarks_current_version_fkey
    FOREIGN KEY (id, current_version) REFERENCES benchmark_versions (benchmark_id, version);

CREATE TABLE subsets (
    benchmark_id text NOT NULL REFERENCES benchmarks (id),
    id           text NOT NULL,
    title        text NOT NULL,
    samples      integer CHECK (samples > 0),      -- NULL where the publication gives none
    operations   text[] NOT NULL DEFAULT '{}',     -- those that occur in it
    position     integer NOT NULL,
    active       boolean NOT NULL DEFAULT true,    -- false: only an earlier version of the benchmark had it
    PRIMARY KEY (benchmark_id, id)
);

-- Teams ---------------------------------------------------------------------------------------------------------------

CREATE TABLE teams (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name       text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX teams_name_key ON teams (lower(name));

-- A token is stored as a keyed hash; whoever reads this table cannot sign in with it.
CREATE TABLE api_tokens (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    role         text NOT NULL CHECK (role IN ('team', 'maintainer')),
    team_id      uuid REFERENCES teams (id),
    label        text NOT NULL,
    prefix       text NOT NULL,                    -- the first characters, to recognise it
    hash         bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    CHECK ((role = 'team') = (team_id IS NOT NULL))
);

-- Submissions ---------------------------------------------------------------------------------------------------------

CREATE TABLE submissions (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    team_id             uuid NOT NULL REFERENCES teams (id),
    benchmark_id        text NOT NULL,
    benchmark_version   text NOT NULL,
    protocol            text NOT NULL,
    model               text NOT NULL CHECK (model <> ''),
    organization        text,
    description         text,
    url                 text,
    state               text NOT NULL DEFAULT 'created' CHECK (state IN (
                            'created', 'uploaded', 'validating', 'rejected', 'queued', 'scoring',
                            'scored', 'published', 'failed', 'withdrawn')),
    created_at          timestamptz NOT NULL DEFAULT now(),
    state_since         timestamptz NOT NULL DEFAULT now(),
    published_at        timestamptz,
    archive_key         text,                      -- storage key; every upload gets a fresh one
    archive_sha256      text,
    archive_bytes       bigint CHECK (archive_bytes >= 0),
    defects             jsonb NOT NULL DEFAULT '[]', -- the gate's verdict, errors and warnings
    failure_code        text,                      -- why it failed, in words for the team
    failure_title       text,
    failure_remedy      text,
    -- The lease of its validation; runs have their own.
    validation_owner    text,
    validation_token    bigint NOT NULL DEFAULT 0, -- fencing: every claim takes the next number
    validation_attempts integer NOT NULL DEFAULT 0,
    validation_heartbeat_at timestamptz,
    validation_expires_at   timestamptz,
    FOREIGN KEY (benchmark_id, benchmark_version) REFERENCES benchmark_versions (benchmark_id, version),
    CHECK ((state = 'published') = (published_at IS NOT NULL)),
    CHECK ((state = 'failed') = (failure_code IS NOT NULL))
);

CREATE INDEX submissions_of_team ON submissions (team_id, created_at DESC, id DESC);
CREATE INDEX submissions_published ON submissions (benchmark_id, benchmark_version) WHERE state = 'published';
CREATE INDEX submissions_in_flight ON submissions (state_since)
    WHERE state IN ('uploaded', 'validating', 'queued', 'scoring');

CREATE TABLE submission_events (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    submission_id uuid NOT NULL REFERENCES submissions (id),
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    state         text NOT NULL,
    actor         text NOT NULL,                   -- 'team', 'maintainer', 'service'
    detail        text NOT NULL DEFAULT ''         -- in words for the team
);

CREATE INDEX submission_events_of_submission ON submission_events (submission_id, id);

-- What a POST with an Idempotency-Key made, so that sending it again makes nothing new.
CREATE TABLE idempotency_keys (
    team_id        uuid NOT NULL REFERENCES teams (id),
    key            text NOT NULL,
    request_sha256 text NOT NULL,
    submission_id  uuid NOT NULL REFERENCES submissions (id) DEFERRABLE INITIALLY DEFERRED,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (team_id, key)
);

-- Runs and scores -----------------------------------------------------------------------------------------------------

-- One row per submission, subset and attempt; rows are added, finished ones never change.
CREATE TABLE runs (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    submission_id uuid NOT NULL REFERENCES submissions (id),
    subset        text NOT NULL,
    protocol      text NOT NULL,
    attempt       integer NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    state         text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'lost')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    started_at    timestamptz,
    finished_at   timestamptz,
    -- The lease.
    owner         text,
    token         bigint NOT NULL DEFAULT 0,       -- fencing: every claim takes the next number; a late result is refused
    heartbeat_at  timestamptz,
    expires_at    timestamptz,
    not_before    timestamptz NOT NULL DEFAULT now(), -- backoff: not to be claimed earlier
    -- Progress.
    stage         text,
    done          integer NOT NULL DEFAULT 0,
    total         integer NOT NULL DEFAULT 0,
    -- How it ended.
    error_code    text,
    error_title   text,                            -- in words for the team
    error_tail    text,                            -- the end of the scorer's output: for operators, never shown
    report_key    text,                            -- storage key
    UNIQUE (submission_id, subset, protocol, attempt),
    CHECK ((state IN ('succeeded', 'failed', 'lost')) = (finished_at IS NOT NULL))
);

CREATE UNIQUE INDEX runs_one_open ON runs (submission_id, subset, protocol) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX runs_one_success ON runs (submission_id, subset, protocol) WHERE state = 'succeeded';
CREATE INDEX runs_open ON runs (created_at) WHERE state IN ('queued', 'running');

-- Exactly one set of scores for each submission, subset and protocol.
CREATE TABLE scores (
    submission_id uuid NOT NULL REFERENCES submissions (id),
    run_id        uuid NOT NULL REFERENCES runs (id),
    subset        text NOT NULL,
    protocol      text NOT NULL,
    operation     text NOT NULL,                   -- 'all', or one operation
    dimension     text NOT NULL,
    value         double precision NOT NULL CHECK (value >= 0 AND value <= 100),
    n             integer NOT NULL CHECK (n >= 1),
    missing       integer NOT NULL DEFAULT 0 CHECK (missing >= 0 AND missing <= n),
    PRIMARY KEY (submission_id, subset, protocol, operation, dimension)
);

-- Curation ------------------------------------------------------------------------------------------------------------

-- Numbers that were not made here: from the paper (seeded) or typed in by a maintainer.
CREATE TABLE curated_entries (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    benchmark_id   text NOT NULL REFERENCES benchmarks (id),
    model          text NOT NULL CHECK (model <> ''),
    organization   text,
    access         text CHECK (access IN ('open', 'closed')),
    access_date    date,
    provenance     text NOT NULL CHECK (provenance IN ('paper', 'curated')),
    source_url     text,
    source_note    text,
    seed_key       text UNIQUE,                    -- names a seeded entry, so that seeding again changes nothing
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    retired_at     timestamptz,
    retired_reason text,
    UNIQUE (id, benchmark_id),
    CHECK ((retired_at IS NULL) = (retired_reason IS NULL))
);

CREATE INDEX curated_entries_of_benchmark ON curated_entries (benchmark_id) WHERE retired_at IS NULL;

CREATE TABLE curated_scores (
    entry_id     uuid NOT NULL,
    benchmark_id text NOT NULL,
    subset       text NOT NULL,
    dimension    text NOT NULL,
    value        double precision NOT NULL CHECK (value >= 0 AND value <= 100),
    PRIMARY KEY (entry_id, subset, dimension),
    FOREIGN KEY (entry_id, benchmark_id) REFERENCES curated_entries (id, benchmark_id),
    FOREIGN KEY (benchmark_id, subset) REFERENCES subsets (benchmark_id, id)
);

CREATE TABLE audit_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor   text NOT NULL,
    action  text NOT NULL,                         -- e.g. 'baseline.add'
    subject text NOT NULL,                         -- what it was done to, e.g. 'baseline:<id>'
    detail  jsonb NOT NULL DEFAULT '{}'
);

-- Records that may only grow ------------------------------------------------------------------------------------------

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER submission_events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON submission_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Scores of a submission are written once, by the run that made them.
CREATE TRIGGER scores_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON scores
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER finished_runs_do_not_change BEFORE UPDATE OR DELETE ON runs
    FOR EACH ROW WHEN (OLD.finished_at IS NOT NULL) EXECUTE FUNCTION refuse_change();
