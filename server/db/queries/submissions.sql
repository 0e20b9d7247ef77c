-- name: add
with added as (
    insert into submissions (team_id, benchmark_id, benchmark_version, protocol, model, organization, description, url)
    values (%(team_id)s, %(benchmark_id)s, %(benchmark_version)s, %(protocol)s, %(model)s, %(organization)s,
            %(description)s, %(url)s)
    returning id
), logged as (
    insert into submission_events (submission_id, state) select id, 'created' from added
)
select id from added;

-- name: get
select s.id, s.team_id, t.name as team_name, s.benchmark_id, s.benchmark_version, s.protocol, s.model, s.organization,
       s.description, s.url, s.state, s.archive_key, s.archive_sha256, s.archive_bytes, s.defects, s.failure_code,
       s.failure_title, s.failure_remedy, s.created_at, s.published_at,
       s.embargo_until, s.moderation_reason
from submissions s join teams t on t.id = s.team_id
where s.id = %(id)s;

-- name: list_by_team
select s.id, s.team_id, t.name as team_name, s.benchmark_id, s.benchmark_version, s.protocol, s.model, s.organization,
       s.description, s.url, s.state, s.archive_key, s.archive_sha256, s.archive_bytes, s.defects, s.failure_code,
       s.failure_title, s.failure_remedy, s.created_at, s.published_at,
       s.embargo_until, s.moderation_reason
from submissions s join teams t on t.id = s.team_id
where (%(team_id)s::uuid is null or s.team_id = %(team_id)s)
  and (%(after_at)s::timestamptz is null or (s.created_at, s.id) < (%(after_at)s, %(after_id)s::uuid))
order by s.created_at desc, s.id desc
limit %(limit)s;

-- name: move
-- The one guarded move: from one of the allowed states to the next, with its event, or nothing at all.
with moved as (
    update submissions
    set state = %(target)s::submission_state, state_changed_at = now(), hinted_at = null,
        published_at = case when %(target)s::submission_state = 'published' then coalesce(published_at, now())
                            when %(target)s::submission_state = 'scored' then null else published_at end,
        embargo_until = case when %(target)s::submission_state = 'embargoed' then %(embargo_until)s::timestamptz end,
        moderation_reason = case when %(target)s::submission_state in ('delisted', 'disqualified')
                                 then nullif(%(detail)s, '') end
    where id = %(id)s and state = any(%(sources)s::submission_state[])
    returning id, state
)
insert into submission_events (submission_id, state, detail)
select id, state, %(detail)s from moved;

-- name: embargoes_over
-- Submissions whose day has come; another sweep's are left to it.
select id from submissions where state = 'embargoed' and embargo_until <= now()
order by embargo_until
limit 100
for update skip locked;

-- name: set_archive
update submissions set archive_key = %(key)s, archive_sha256 = %(sha256)s, archive_bytes = %(size)s where id = %(id)s;

-- name: lock_archive_key
select archive_key from submissions where id = %(id)s for update;

-- name: drop_archive
update submissions set archive_key = null where id = %(id)s;

-- name: set_defects
update submissions set defects = %(defects)s where id = %(id)s;

-- name: set_failure
update submissions set failure_code = %(code)s, failure_title = %(title)s, failure_remedy = %(remedy)s where id = %(id)s;

-- name: clear_failure
-- A maintainer's retry begins anew: no attempt counts against it.
update submissions
set failure_code = null, failure_title = null, failure_remedy = null, gate_attempts = 0, gate_owner = null,
    gate_expires_at = null
where id = %(id)s;

-- name: events
select at, state, detail from submission_events where submission_id = %(id)s order by id;

-- name: newest_runs
select distinct on (subset) id, subset, state, attempt, stage, done, total, error_code
from runs where submission_id = %(id)s order by subset, attempt desc;

-- name: scores
-- Rounded as on the boards.
select protocol, subset, operation, dimension, round(value::numeric, 2)::double precision as value, n, missing
from scores where submission_id = %(id)s
order by protocol, subset, operation, dimension;

-- name: reports
-- Of the attempts at a subset one at most has succeeded (runs_one_alive).
select id as run, subset, report_key from runs
where submission_id = %(id)s and state = 'succeeded' and report_key is not null
order by subset;
