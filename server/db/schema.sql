-- The readable truth about the database. Forward-only migrations lead here; a test proves that they do.

create type submission_state as enum
    ('created', 'uploaded', 'validating', 'rejected', 'queued', 'scoring', 'scored', 'published', 'failed', 'withdrawn');
create type run_state as enum ('queued', 'running', 'succeeded', 'failed', 'lost');
create type benchmark_kind as enum ('scored', 'published');
create type access_kind as enum ('open', 'closed');
create type provenance_kind as enum ('paper', 'curated');
create type token_role as enum ('team', 'maintainer');
create type team_role as enum ('owner', 'member');

-- Benchmarks -----------------------------------------------------------------------------------------------------------

create table benchmarks (
    id text primary key,
    title text not null,
    description text not null default '',
    kind benchmark_kind not null,
    protocol text not null,
    dimensions jsonb not null,          -- [{id, label, title, unit}], in the order of the columns
    ranked_by text not null,            -- the dimension that gives the rank
    operations text[] not null default '{}',
    source_url text,
    position int not null,
    current_version text,               -- null for benchmarks that only show published results
    created_at timestamptz not null default now(),
    missing_instruments text[] not null default '{}'  -- not installed here; while there are any, no submissions
);

create table subsets (
    benchmark_id text not null references benchmarks,
    id text not null,
    title text not null,
    samples int check (samples > 0),    -- null where the source does not say
    position int not null,
    primary key (benchmark_id, id)
);

-- One row for each content that a benchmark ever had; the version is the sha256 of the content.
create table benchmark_versions (
    benchmark_id text not null references benchmarks,
    version text not null,
    manifest jsonb not null,            -- public
    public_key text not null,           -- object keys; the hidden one is never served
    hidden_key text not null,
    detector text not null,
    judge text not null,
    created_at timestamptz not null default now(),
    primary key (benchmark_id, version)
);

alter table benchmarks add constraint benchmarks_current_version_fkey
    foreign key (id, current_version) references benchmark_versions (benchmark_id, version);

-- Users and teams ------------------------------------------------------------------------------------------------------

-- Whom a provider vouches for. Never joined by e-mail: that would let one provider speak for another's users.
create table users (
    id uuid primary key default gen_random_uuid(),
    issuer text not null,               -- 'development' for the development login
    subject text not null,
    name text not null,
    email text,
    email_verified boolean not null default false,
    maintainer boolean not null default false,  -- granted by a maintainer; settings may name more
    created_at timestamptz not null default now(),
    signed_in_at timestamptz not null default now(),
    unique (issuer, subject)
);

create table teams (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    created_at timestamptz not null default now(),
    name_key text not null,             -- what all spellings of the name have in common (server/names.py)
    created_by uuid references users    -- null for teams of the development login
);
create unique index teams_name_key on teams (name_key);
create index teams_by_maker on teams (created_by);

create table team_members (
    team_id uuid not null references teams,
    user_id uuid not null references users,
    role team_role not null,
    joined_at timestamptz not null default now(),
    primary key (team_id, user_id)
);
create index team_members_by_user on team_members (user_id);

-- An invitation is good for one person, once, for a time.
create table invitations (
    id uuid primary key default gen_random_uuid(),
    team_id uuid not null references teams,
    role team_role not null,
    hash bytea not null unique,         -- keyed; the code itself is never stored
    invited_by uuid not null references users,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    accepted_at timestamptz,
    accepted_by uuid references users,
    check ((accepted_at is null) = (accepted_by is null)),
    check (accepted_at is null or revoked_at is null)
);
create index invitations_by_team on invitations (team_id, created_at desc);

-- Begun at a provider and not come back yet; taken out by the first who comes back.
create table sign_ins (
    hash bytea primary key,             -- keyed, of the state that the provider hands back
    browser_hash bytea not null,        -- keyed, of the cookie of the browser that began
    provider text not null,
    verifier text not null,             -- of PKCE
    nonce text not null,
    return_to text not null,
    expires_at timestamptz not null
);
create index sign_ins_by_end on sign_ins (expires_at);

-- Sessions of the website; signing out deletes the row.
create table sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users,
    hash bytea not null unique,         -- keyed; the cookie itself is never stored
    team_id uuid references teams,      -- for whom the user acts: a team, or as maintainer, or for nobody yet
    maintainer boolean not null default false,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    check (not (maintainer and team_id is not null))
);
create index sessions_by_user on sessions (user_id);

create table api_tokens (
    id uuid primary key default gen_random_uuid(),
    team_id uuid references teams,
    role token_role not null,
    prefix text not null,               -- shown to the owner, to tell tokens apart
    hash bytea not null unique,         -- keyed; the token itself is never stored
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    user_id uuid not null references users,
    name text not null,
    scopes text[] not null,
    used_at timestamptz,                -- to the hour
    revoked_at timestamptz,
    check ((role = 'team') = (team_id is not null)),
    constraint api_tokens_scopes_check check (cardinality(scopes) > 0 and scopes <@ array['read', 'submit', 'admin'])
);
create index api_tokens_by_user on api_tokens (user_id, created_at desc);

-- Submissions ----------------------------------------------------------------------------------------------------------

create table submissions (
    id uuid primary key default gen_random_uuid(),
    team_id uuid not null references teams,
    benchmark_id text not null references benchmarks,
    benchmark_version text not null,
    protocol text not null,
    model text not null,
    organization text,
    description text not null default '',
    url text,
    state submission_state not null default 'created',
    state_changed_at timestamptz not null default now(),
    idempotency_key text,
    request_hash bytea,                 -- of the request that the idempotency key stands for
    archive_key text,
    archive_sha256 text,
    archive_bytes bigint,
    defects jsonb not null default '[]',
    failure_code text,
    failure_title text,
    failure_remedy text,
    gate_attempts int not null default 0,
    gate_owner text,
    gate_token bigint not null default 0,
    gate_expires_at timestamptz,
    hinted_at timestamptz,              -- when the queue was last told
    created_at timestamptz not null default now(),
    published_at timestamptz,
    foreign key (benchmark_id, benchmark_version) references benchmark_versions (benchmark_id, version),
    unique (team_id, idempotency_key)
);
create index submissions_by_team on submissions (team_id, created_at desc, id);
create index submissions_unsettled on submissions (state, state_changed_at)
    where state in ('uploaded', 'validating', 'queued', 'scoring');
create index submissions_published on submissions (benchmark_id) where state = 'published';

create table submission_events (
    id bigint generated always as identity primary key,
    submission_id uuid not null references submissions,
    at timestamptz not null default now(),
    state submission_state not null,
    detail text not null default ''
);
create index submission_events_by_submission on submission_events (submission_id, id);

-- Runs: one attempt at one subset; a new attempt is a new row --------------------------------------------------------------

create sequence lease_tokens;

create table runs (
    id uuid primary key default gen_random_uuid(),
    submission_id uuid not null references submissions,
    subset text not null,
    attempt int not null check (attempt > 0),
    protocol text not null,
    benchmark_version text not null,
    state run_state not null default 'queued',
    lease_owner text,
    lease_token bigint not null default 0,
    lease_expires_at timestamptz,
    heartbeat_at timestamptz,
    hinted_at timestamptz,
    stage text,
    done int not null default 0,
    total int not null default 0,
    error_code text,
    error_message text,                 -- for operators
    report_key text,
    report_sha256 text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    unique (submission_id, subset, attempt)
);
create unique index runs_one_alive on runs (submission_id, subset) where state in ('queued', 'running', 'succeeded');
create index runs_waiting on runs (created_at) where state in ('queued', 'running');

-- Exactly one set of scores for each (submission, subset, protocol).
create table scores (
    submission_id uuid not null references submissions,
    run_id uuid not null references runs,
    subset text not null,
    protocol text not null,
    operation text not null,            -- 'all' or an operation
    dimension text not null,
    value double precision not null check (value >= 0 and value <= 100),
    n int not null check (n > 0),
    missing int not null check (missing >= 0),
    primary key (submission_id, subset, protocol, operation, dimension)
);

-- Curated entries: numbers from elsewhere, with their provenance --------------------------------------------------------------

create table curated_entries (
    id uuid primary key default gen_random_uuid(),
    benchmark_id text not null references benchmarks,
    model text not null,
    organization text,
    access access_kind,
    size text,                          -- of the model, as the source states it
    provenance provenance_kind not null,
    source_url text not null,
    source_note text not null default '',
    access_date date,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    retired_at timestamptz,
    retired_reason text
);
create unique index curated_entries_once on curated_entries (benchmark_id, lower(model)) where retired_at is null;

create table curated_scores (
    entry_id uuid not null references curated_entries,
    subset text not null,
    dimension text not null,
    value double precision not null check (value >= 0 and value <= 100),
    primary key (entry_id, subset, dimension)
);

-- The audit log: nothing in it is ever changed or removed -----------------------------------------------------------------------

create table audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    actor text not null,
    action text not null,
    subject text not null,
    detail jsonb not null default '{}'
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end
$$;

create trigger audit_log_append_only before update or delete or truncate on audit_log
    for each statement execute function refuse_change();
create trigger submission_events_append_only before update or delete or truncate on submission_events
    for each statement execute function refuse_change();

-- Scores are written once, and a finished attempt stays as it ended; a new attempt is a new row.
create trigger scores_append_only before update or delete or truncate on scores
    for each statement execute function refuse_change();
create trigger runs_kept before delete or truncate on runs
    for each statement execute function refuse_change();
create trigger runs_finished_unchanged before update on runs
    for each row when (old.state in ('succeeded', 'failed', 'lost')) execute function refuse_change();
