-- Notices: where a team wants to be told of its submissions' endings, and what was or is to be sent there.
create type delivery_state as enum ('pending', 'delivered', 'dead');

create table notice_targets (
    id uuid primary key default gen_random_uuid(),
    team_id uuid not null references teams,
    kind text not null check (kind in ('webhook', 'email')),
    address text not null,
    created_at timestamptz not null default now(),
    confirmed_at timestamptz,
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
    next_attempt_at timestamptz not null default now(),
    last_error text,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    unique (target_id, event_id)
);
create index deliveries_due on deliveries (next_attempt_at) where state = 'pending';
create index deliveries_of_target on deliveries (target_id, created_at, id);

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
