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
-- Give the check back to the queue after a passing fault.
update submissions set gate_expires_at = now() - interval '1 second', hinted_at = null
where id = %(id)s and state = 'validating' and gate_token = %(token)s;

-- name: add_run
-- The next attempt at a subset; nothing happens while one is waiting, at work or has succeeded.
insert into runs (submission_id, subset, attempt, protocol, benchmark_version)
select %(submission_id)s, %(subset)s, coalesce(max(attempt), 0) + 1, %(protocol)s, %(benchmark_version)s
from runs where submission_id = %(submission_id)s and subset = %(subset)s
on conflict do nothing
returning id, submission_id, subset, attempt, protocol, benchmark_version, lease_token;

-- name: claim_run
-- Exactly one worker gets a queued run, under the next fencing token.
update runs
set state = 'running', lease_owner = %(owner)s, lease_token = nextval('lease_tokens'), started_at = now(),
    heartbeat_at = now(), lease_expires_at = now() + %(lease)s
where id = %(id)s and state = 'queued'
  and exists (select 1 from submissions s where s.id = submission_id and s.state in ('queued', 'scoring'))
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
    where state = 'queued' and coalesce(hinted_at, created_at) < now() - %(patience)s::interval
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
      where r.submission_id = sub.id and r.subset = s.one ->> 'id' and r.state in ('queued', 'running', 'succeeded')
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
          select 1 from runs r where r.submission_id = sub.id and r.subset = s.one ->> 'id' and r.state = 'succeeded'
      )
  )
limit 100;

-- name: attempts_of_subset
-- How often a subset has been tried since the submission was last accepted.
select count(*)::int as count from runs
where submission_id = %(submission_id)s and subset = %(subset)s
  and created_at >= (
      select max(at) from submission_events where submission_id = %(submission_id)s and state = 'queued'
  );
