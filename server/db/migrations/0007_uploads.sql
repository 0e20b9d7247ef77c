-- Archives that arrive in parts, and answers that are given again to who repeats a request.
create type upload_state as enum ('open', 'completed', 'aborted');

create table uploads (
    id uuid primary key default gen_random_uuid(),
    submission_id uuid not null references submissions,
    state upload_state not null default 'open',
    archive_key text not null unique,
    storage_id text,
    part_bytes bigint not null check (part_bytes > 0),
    most_bytes bigint not null check (most_bytes > 0),
    declared_bytes bigint check (declared_bytes > 0),
    declared_sha256 text,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    cleaned_at timestamptz
);
create unique index uploads_one_open on uploads (submission_id) where state = 'open';
create index uploads_by_submission on uploads (submission_id, created_at);
create index uploads_unclean on uploads (created_at) where cleaned_at is null;

create table upload_parts (
    upload_id uuid not null references uploads,
    number int not null check (number between 1 and 10000),
    bytes bigint not null check (bytes > 0),
    sha256 text not null,
    primary key (upload_id, number)
);

create table idempotency_keys (
    caller text not null,
    key text not null,
    request_hash bytea not null,
    status int not null,
    headers jsonb not null,
    body bytea,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (caller, key)
);
create index idempotency_keys_by_expiry on idempotency_keys (expires_at);

-- What one table does for every POST, submissions need not do for themselves.
alter table submissions drop column idempotency_key, drop column request_hash;
