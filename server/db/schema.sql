-- The readable truth about the database. Forward-only migrations lead here; a test proves that they do.

create type submission_state as enum
    ('created', 'uploaded', 'validating', 'rejected', 'queued', 'scoring', 'scored', 'published', 'failed', 'withdrawn',
     'embargoed', 'delisted', 'disqualified');
create type run_state as enum ('queued', 'running', 'succeeded', 'failed', 'lost');
create type benchmark_kind as enum ('scored', 'published');
create type access_kind as enum ('open', 'closed');
create type provenance_kind as enum ('paper', 'curated');
create type token_role as enum ('team', 'maintainer');
create type delivery_state as enum ('pending', 'delivered', 'dead');
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
create index users_by_time on users (created_at, id);

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
create index invitations_by_team on invitations (team_id, created_at, id);

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
create index api_tokens_by_user on api_tokens (user_id, created_at, id);

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
    embargo_until timestamptz,          -- when an embargoed submission is to be published
    moderation_reason text,             -- a maintainer's words to the team: why it is hidden or disqualified
    foreign key (benchmark_id, benchmark_version) references benchmark_versions (benchmark_id, version)
);
create index submissions_by_team on submissions (team_id, created_at, id);
create index submissions_by_time on submissions (created_at, id);
create index submissions_unsettled on submissions (state, state_changed_at)
    where state in ('uploaded', 'validating', 'queued', 'scoring');
create index submissions_published on submissions (benchmark_id) where state = 'published';
create index submissions_counted on submissions (team_id, benchmark_id, created_at);

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
    next_attempt_at timestamptz,        -- not claimed before; null: at once
    unique (submission_id, subset, attempt)
);
-- One set of scores for each protocol version: a submission that is scored anew under another one keeps what it had.
create unique index runs_one_alive on runs (submission_id, subset, protocol)
    where state in ('queued', 'running', 'succeeded');
create index runs_waiting on runs (created_at) where state in ('queued', 'running');

-- What a run has measured and judged so far, committed as it comes under the lease of its attempt; the content lies in
-- the storage. `inputs` is the hash of all that the numbers depend on; `first` the place of the first sample or line.
create table run_chunks (
    id bigint generated always as identity primary key,
    submission_id uuid not null references submissions,
    run_id uuid not null references runs,
    subset text not null,
    protocol text not null,
    benchmark_version text not null,
    step text not null check (step in ('measure', 'judge')),
    inputs text not null,
    first int not null check (first >= 0),
    count int not null check (count > 0),
    object_key text not null,
    sha256 text not null,
    created_at timestamptz not null default now(),
    unique (submission_id, subset, protocol, benchmark_version, step, inputs, first)
);

-- Submissions whose chunks are no longer needed and are gone from the storage.
create table run_chunks_dropped (
    submission_id uuid primary key references submissions,
    at timestamptz not null default now()
);

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

-- Uploads: an archive that arrives in parts. The sweep cleans the storage of what is over ----------------------------------

create type upload_state as enum ('open', 'completed', 'aborted');

create table uploads (
    id uuid primary key default gen_random_uuid(),
    submission_id uuid not null references submissions,
    state upload_state not null default 'open',
    archive_key text not null unique,
    storage_id text,                    -- the storage's own name of it; null until the first part was signed
    part_bytes bigint not null check (part_bytes > 0),
    most_bytes bigint not null check (most_bytes > 0),
    declared_bytes bigint check (declared_bytes > 0),
    declared_sha256 text,               -- of the whole, as its team said; the gate compares it with what it read
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    cleaned_at timestamptz              -- since when the storage holds nothing of it but a finished archive
);
create unique index uploads_one_open on uploads (submission_id) where state = 'open';
create index uploads_by_submission on uploads (submission_id, created_at);
create index uploads_unclean on uploads (created_at) where cleaned_at is null;

-- What was signed, once for each number: the storage takes nothing else under it.
create table upload_parts (
    upload_id uuid not null references uploads,
    number int not null check (number between 1 and 10000),
    bytes bigint not null check (bytes > 0),
    sha256 text not null,
    primary key (upload_id, number)
);

-- Repeated requests: written in the transaction of the act itself -----------------------------------------------------------

create table idempotency_keys (
    caller text not null,
    key text not null,
    request_hash bytea not null,        -- of method, address and body
    status int not null,
    headers jsonb not null,
    body bytea,                         -- null where the answer may not be kept: it held a secret
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (caller, key)
);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);

-- Quotas: how much a team may submit to a benchmark; what is used is counted from the submissions themselves -----------------

-- Where a benchmark has no row, the settings say; null is no limit.
create table quota_limits (
    benchmark_id text primary key references benchmarks,
    per_day int check (per_day >= 0),
    total int check (total >= 0),
    at_once int check (at_once >= 0),
    updated_at timestamptz not null default now()
);

create table quota_grants (
    id uuid primary key default gen_random_uuid(),
    team_id uuid not null references teams,
    benchmark_id text not null references benchmarks,
    kind text not null check (kind in ('per_day', 'total', 'at_once')),
    extra int not null check (extra > 0),
    reason text not null,
    granted_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,             -- null: for good
    revoked_at timestamptz
);
create index quota_grants_of_team on quota_grants (team_id, benchmark_id);

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
create trigger run_chunks_append_only before update or delete or truncate on run_chunks
    for each statement execute function refuse_change();
create trigger runs_kept before delete or truncate on runs
    for each statement execute function refuse_change();
create trigger runs_finished_unchanged before update on runs
    for each row when (old.state in ('succeeded', 'failed', 'lost')) execute function refuse_change();

-- Notices: where a team wants to be told of its submissions' endings, and what was or is to be sent there -----------------------

create table notice_targets (
    id uuid primary key default gen_random_uuid(),
    team_id uuid not null references teams,
    kind text not null check (kind in ('webhook', 'email')),
    address text not null,
    created_at timestamptz not null default now(),
    confirmed_at timestamptz,           -- nothing is sent to an e-mail address before its owner has confirmed it
    removed_at timestamptz
);
create unique index notice_targets_once on notice_targets (team_id, kind, address) where removed_at is null;

create table deliveries (
    id uuid primary key default gen_random_uuid(),
    target_id uuid not null references notice_targets,
    submission_id uuid references submissions,
    event_id bigint,                    -- of submission_events
    what text not null,
    state delivery_state not null default 'pending',
    attempts int not null default 0,
    next_attempt_at timestamptz not null default now(),  -- while it is being sent: when another may try
    last_error text,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    unique (target_id, event_id)
);
create index deliveries_due on deliveries (next_attempt_at) where state = 'pending';
create index deliveries_of_target on deliveries (target_id, created_at, id);

-- The outbox is filled in the transaction of the event itself, whoever writes it: no ending goes untold. Taking an entry off
-- the board leads to `scored` too, and is no news.
create function note_ending() returns trigger language plpgsql as $$
begin
    insert into deliveries (target_id, submission_id, event_id, what)
    select t.id, s.id, new.id, 'submission.' || new.state
    from submissions s join notice_targets t on t.team_id = s.team_id
    where s.id = new.submission_id and t.confirmed_at is not null and t.removed_at is null
      and (new.state <> 'scored' or 'scoring' = (
          select e.state from submission_events e
          where e.submission_id = new.submission_id and e.id < new.id order by e.id desc limit 1));
    return new;
end
$$;
create trigger submission_events_noted after insert on submission_events
    for each row when (new.state in ('rejected', 'failed', 'scored', 'published', 'withdrawn', 'delisted', 'disqualified'))
    execute function note_ending();
