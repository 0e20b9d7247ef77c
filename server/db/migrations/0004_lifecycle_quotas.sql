-- Embargoes and moderation: states that a published entry may wait in or be put into.
alter type submission_state add value 'embargoed';
alter type submission_state add value 'delisted';
alter type submission_state add value 'disqualified';

alter table submissions add column embargo_until timestamptz;
alter table submissions add column moderation_reason text;

-- How much a team may submit to a benchmark, and what maintainers grant beyond.
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
    expires_at timestamptz,
    revoked_at timestamptz
);
create index quota_grants_of_team on quota_grants (team_id, benchmark_id);
create index submissions_counted on submissions (team_id, benchmark_id, created_at);
