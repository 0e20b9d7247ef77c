-- What a run has measured and judged so far, committed as it comes; attempts that wait a while before they are made.
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
create trigger run_chunks_append_only before update or delete or truncate on run_chunks
    for each statement execute function refuse_change();

-- Submissions whose chunks are no longer needed and are gone from the storage.
create table run_chunks_dropped (
    submission_id uuid primary key references submissions,
    at timestamptz not null default now()
);

alter table runs add column next_attempt_at timestamptz;

-- One set of scores for each protocol version: a submission that is scored anew under another one keeps what it had.
drop index runs_one_alive;
create unique index runs_one_alive on runs (submission_id, subset, protocol)
    where state in ('queued', 'running', 'succeeded');
