-- name: claim_gate
-- Begin to check an archive: the state moves, and the checker gets a lease with the next fencing token.
with claimed as (
    update submissions
    set state = 'validating', state_changed_at = now(), gate_owner = %(owner)s, gate_token = nextval('lease_tokens'),
        gate_expires_at = now() + %(lease)s, gate_attempts = gate_attempts + 1
    where id = %(id)s
      and (state = 'uploaded' or (state = 'validating' and gate_expires_at < now()))
      and gate_attempts < %(max_attempts)s
    returning id, gate_token, state
), logged as (
    insert into submission_events (submission_id, state) select id, state from claimed
)
select gate_token as token from claimed;

-- name: beat_gate
update submissions set gate_expires_at = now() + %(lease)s
where id = %(id)s and state = 'validating' and gate_token = %(token)s;

-- name: note_archive
-- What the checker read whole; of an archive that was read before, its hash stays what it was.
update submissions set archive_sha256 = coalesce(archive_sha256, %(sha256)s), archive_bytes = %(size)s
where id = %(id)s and state = 'validating' and gate_token = %(token)s
returning archive_sha256 as sha256;

-- name: hold_gate
-- Lock the submission for the verdict, if the lease is still ours.
select gate_token as token from submissions
where id = %(id)s and state = 'validating' and gate_token = %(token)s
for update;

-- name: release_gate
-- Give the check back to the queue after a passing fault, to be tried again after a while.
update submissions set gate_expires_at = now() + %(delay)s::interval, hinted_at = null
where id = %(id)s and state = 'validating' and gate_token = %(token)s;

-- name: gate_attempts
select gate_attempts as count from submissions where id = %(id)s;

-- name: add_run
-- The next attempt at a subset; nothing happens while one is waiting, at work or has succeeded.
insert into runs (submission_id, subset, attempt, protocol, benchmark_version, next_attempt_at)
select %(submission_id)s, %(subset)s, coalesce(max(attempt), 0) + 1, %(protocol)s, %(benchmark_version)s,
       now() + %(delay)s::interval
from runs where submission_id = %(submission_id)s and subset = %(subset)s
on conflict do nothing
returning id, submission_id, subset, attempt, protocol, benchmark_version, lease_token;

-- name: lock_claims
-- One claim at a time, so that each sees what the one before it took; held until the transaction ends.
select pg_advisory_xact_lock(hashtext('gsi.claim_run'));

-- name: next_waiting
-- The run that a free hand should take: of the team that has the least at work, the oldest.
select r.id, r.attempt
from runs r join submissions s on s.id = r.submission_id
where r.state = 'queued' and s.state in ('queued', 'scoring')
  and (r.next_attempt_at is null or r.next_attempt_at <= now())
order by (select count(*) from runs o join submissions os on os.id = o.submission_id
          where o.state = 'running' and os.team_id = s.team_id), r.created_at, r.id
limit 1;

-- name: claim_run
-- Exactly one worker gets a queued run, under the next fencing token. Teams take turns: who comes with a run of a team
-- that is at work gets the oldest of the team that has the least at work instead. After `lock_claims`.
with waiting as (
    select r.id, r.created_at,
           (select count(*) from runs o join submissions os on os.id = o.submission_id
            where o.state = 'running' and os.team_id = s.team_id) as at_work
    from runs r join submissions s on s.id = r.submission_id
    where r.state = 'queued' and s.state in ('queued', 'scoring')
      and (r.next_attempt_at is null or r.next_attempt_at <= now())
), chosen as (
    select id from waiting
    where exists (select 1 from waiting w where w.id = %(id)s)
    order by at_work, (id = %(id)s) desc, created_at, id
    limit 1
)
update runs
set state = 'running', lease_owner = %(owner)s, lease_token = nextval('lease_tokens'), started_at = now(),
    heartbeat_at = now(), lease_expires_at = now() + %(lease)s
where id = (select id from chosen) and state = 'queued'
returning id, submission_id, subset, attempt, protocol, benchmark_version, lease_token;

-- name: beat_run
-- The worker is alive; nothing happens when the lease is no longer its own or the submission is no longer wanted.
update runs
set heartbeat_at = now(), lease_expires_at = now() + %(lease)s,
    stage = coalesce(%(stage)s, stage), done = coalesce(%(done)s, done), total = coalesce(%(total)s, total)
where id = %(id)s and state = 'running' and lease_token = %(token)s
  and exists (select 1 from submissions s where s.id = submission_id and s.state in ('queued', 'scoring'));

-- name: succeed_run
update runs
set state = 'succeeded', finished_at = now(), lease_expires_at = null, stage = 'aggregate', done = %(total)s,
    total = %(total)s, report_key = %(report_key)s, report_sha256 = %(report_sha256)s
where id = %(id)s and state = 'running' and lease_token = %(token)s;

-- name: end_run
-- A run that gave no scores: failed, or lost with its worker.
update runs
set state = %(state)s, finished_at = now(), lease_expires_at = null, error_code = %(code)s, error_message = %(message)s
where id = %(id)s and state = 'running' and lease_token = %(token)s;

-- name: add_score
insert into scores (submission_id, run_id, subset, protocol, operation, dimension, value, n, missing)
values (%(submission_id)s, %(run_id)s, %(subset)s, %(protocol)s, %(operation)s, %(dimension)s, %(value)s, %(n)s,
        %(missing)s);

-- name: scored_protocols
-- Under which protocols a subset has its numbers already; they stand.
select distinct protocol from scores where submission_id = %(submission_id)s and subset = %(subset)s;

-- name: lock_submission
select id, benchmark_id, benchmark_version, protocol, state, archive_key, archive_sha256
from submissions where id = %(id)s for update;

-- name: unscored_subsets
-- The subsets are those of the content that was submitted to, whatever the benchmark has become since; in all queries.
select s.one ->> 'id' as subset
from submissions sub
join benchmark_versions v on v.benchmark_id = sub.benchmark_id and v.version = sub.benchmark_version
cross join jsonb_array_elements(v.manifest -> 'subsets') with ordinality s (one, position)
where sub.id = %(submission_id)s
  and not exists (
      select 1 from runs r
      where r.submission_id = sub.id and r.subset = s.one ->> 'id' and r.protocol = sub.protocol
        and r.state = 'succeeded'
  )
order by s.position;

-- name: dead_runs
-- Runs whose worker has not been heard of in time; another sweep's are left to it.
select id, submission_id, subset, attempt, protocol, benchmark_version, lease_token from runs
where state = 'running' and lease_expires_at < now()
order by created_at
limit 100
for update skip locked;

-- name: waiting_gates
-- Archives that wait for a check, or whose checker is gone, and of which the queue has not been told lately.
update submissions set hinted_at = now()
where id in (
    select id from submissions
    where (state = 'uploaded' or (state = 'validating' and gate_expires_at < now()))
      and coalesce(hinted_at, state_changed_at) < now() - %(patience)s::interval
    order by state_changed_at
    limit 100
    for update skip locked
)
returning id, gate_attempts as attempt;

-- name: waiting_runs
-- Queued runs of which the queue has not been told lately.
update runs set hinted_at = now()
where id in (
    select id from runs
    where state = 'queued' and (next_attempt_at is null or next_attempt_at <= now())
      and (coalesce(hinted_at, created_at) < now() - %(patience)s::interval
           or (hinted_at is null and next_attempt_at > created_at))
    order by created_at
    limit 100
    for update skip locked
)
returning id, attempt;

-- name: runless_submissions
-- Accepted submissions with a subset that nobody will ever score: no run waits, works or has succeeded.
select distinct sub.id, sub.state_changed_at
from submissions sub
join benchmark_versions v on v.benchmark_id = sub.benchmark_id and v.version = sub.benchmark_version
cross join jsonb_array_elements(v.manifest -> 'subsets') s (one)
where sub.state in ('queued', 'scoring')
  and sub.state_changed_at < now() - %(patience)s::interval
  and not exists (
      select 1 from runs r
      where r.submission_id = sub.id and r.subset = s.one ->> 'id' and r.protocol = sub.protocol
        and r.state in ('queued', 'running', 'succeeded')
  )
order by sub.state_changed_at
limit 100;

-- name: settleable_submissions
-- Submissions whose every subset has been scored, whatever kept them from being told so.
select sub.id, sub.state_changed_at
from submissions sub
join benchmark_versions v on v.benchmark_id = sub.benchmark_id and v.version = sub.benchmark_version
where sub.state in ('queued', 'scoring') and sub.state_changed_at < now() - %(patience)s::interval
  and not exists (
      select 1 from jsonb_array_elements(v.manifest -> 'subsets') s (one)
      where not exists (
          select 1 from runs r
          where r.submission_id = sub.id and r.subset = s.one ->> 'id' and r.protocol = sub.protocol
            and r.state = 'succeeded'
      )
  )
limit 100;

-- name: attempts_of_subset
-- How often a subset has been tried since the submission was last accepted or an attempt last committed something: what
-- makes progress comes to an end by itself.
select count(*)::int as count from runs
where submission_id = %(submission_id)s and subset = %(subset)s
  and created_at >= greatest(
      (select max(at) from submission_events where submission_id = %(submission_id)s and state = 'queued'),
      (select max(created_at) from run_chunks where submission_id = %(submission_id)s and subset = %(subset)s)
  );

-- name: add_chunk
-- Commit a chunk of a run that is still ours; one of an older token, or of what is committed already, changes nothing.
with held as (
    select id, submission_id, subset, protocol, benchmark_version from runs
    where id = %(id)s and state = 'running' and lease_token = %(token)s
    for update
), added as (
    insert into run_chunks (submission_id, run_id, subset, protocol, benchmark_version, step, inputs, first, count,
                            object_key, sha256)
    select submission_id, id, subset, protocol, benchmark_version, %(step)s, %(inputs)s, %(first)s, %(count)s,
           %(object_key)s, %(sha256)s
    from held
    on conflict do nothing
)
select count(*)::int as count from held;

-- name: chunks
-- What earlier attempts at a subset have committed, of the inputs that were seen last.
select step, inputs, first, count, object_key, sha256 from run_chunks c
where submission_id = %(submission_id)s and subset = %(subset)s and protocol = %(protocol)s
  and benchmark_version = %(benchmark_version)s and step = %(step)s
  and inputs = coalesce(%(inputs)s::text, (
      select n.inputs from run_chunks n
      where n.submission_id = c.submission_id and n.subset = c.subset and n.protocol = c.protocol
        and n.benchmark_version = c.benchmark_version and n.step = c.step
      order by n.id desc limit 1
  ))
order by first;

-- name: droppable_chunks
-- Where the chunks lie of submissions that will not be measured any more.
select c.submission_id, array_agg(c.object_key order by c.id) as keys
from run_chunks c join submissions s on s.id = c.submission_id
where s.state not in ('created', 'uploaded', 'validating', 'queued', 'scoring', 'failed')
  and not exists (select 1 from run_chunks_dropped d where d.submission_id = c.submission_id)
group by c.submission_id
limit 20;

-- name: note_dropped_chunks
insert into run_chunks_dropped (submission_id) values (%(submission_id)s) on conflict do nothing;

-- name: expired_submissions
-- Submissions that nobody has sent an archive for, nor is sending one.
select s.id, s.state_changed_at from submissions s
where s.state = 'created' and s.state_changed_at < now() - %(patience)s::interval
  and not exists (
      select 1 from uploads u where u.submission_id = s.id and u.state = 'open' and u.expires_at > now()
  )
order by s.state_changed_at
limit 100
for update skip locked;

-- name: dead_letters
-- What we could not finish, newest first, with the attempt that was the last.
select s.id as submission_id, s.benchmark_id, s.model, t.name as team_name, s.state_changed_at as failed_at,
       s.failure_code, s.failure_title, s.gate_attempts, s.archive_key is not null as can_be_retried,
       r.id as run_id, r.subset, r.attempt, r.error_code, r.error_message, r.lease_owner as worker
from submissions s
join teams t on t.id = s.team_id
left join lateral (
    select * from runs r
    where r.submission_id = s.id and r.state in ('failed', 'lost') order by r.finished_at desc nulls last limit 1
) r on true
where s.state = 'failed'
  and (%(after_at)s::timestamptz is null or (s.state_changed_at, s.id) < (%(after_at)s, %(after_id)s::uuid))
order by s.state_changed_at desc, s.id desc
limit %(limit)s;
