-- Quotas. What is used is counted from the submissions themselves, so that nothing can drift: a submission that is
-- rejected, that fails on our side, or that is withdrawn before it was accepted gives its place back by what it is.

-- name: lock_team
-- Submissions of one team begin one after the other; foreign keys to the team are not held up.
select id from teams where id = %(team_id)s for no key update;

-- name: usage
with counted as (
    select s.state, s.created_at
    from submissions s
    where s.team_id = %(team_id)s and s.benchmark_id = %(benchmark_id)s
      and s.state <> all(%(free)s::submission_state[])
      and (s.state <> 'withdrawn'
           or exists (select from submission_events e where e.submission_id = s.id and e.state = 'queued'))
), today as (
    select date_trunc('day', now() at time zone 'utc') at time zone 'utc' as began
)
select (count(*) filter (where c.created_at >= today.began))::int as per_day,
       count(c.state)::int as total,
       (count(*) filter (where c.state = any(%(at_work)s::submission_state[])))::int as at_once,
       today.began + interval '1 day' as resets_at,
       ceil(extract(epoch from today.began + interval '1 day' - now()))::int as resets_in
from today left join counted c on true
group by today.began;

-- name: limits
select per_day, total, at_once from quota_limits where benchmark_id = %(benchmark_id)s;

-- name: set_limits
insert into quota_limits (benchmark_id, per_day, total, at_once)
values (%(benchmark_id)s, %(per_day)s, %(total)s, %(at_once)s)
on conflict (benchmark_id) do update
set per_day = excluded.per_day, total = excluded.total, at_once = excluded.at_once, updated_at = now();

-- name: granted
-- What is granted now beyond the limits.
select coalesce(sum(extra) filter (where kind = 'per_day'), 0)::int as per_day,
       coalesce(sum(extra) filter (where kind = 'total'), 0)::int as total,
       coalesce(sum(extra) filter (where kind = 'at_once'), 0)::int as at_once
from quota_grants
where team_id = %(team_id)s and benchmark_id = %(benchmark_id)s and revoked_at is null
  and (expires_at is null or expires_at > now());

-- name: add_grant
insert into quota_grants (team_id, benchmark_id, kind, extra, reason, granted_by, expires_at)
values (%(team_id)s, %(benchmark_id)s, %(kind)s, %(extra)s, %(reason)s, %(granted_by)s, %(expires_at)s)
returning id;

-- name: grants
select g.id, t.name as team, g.benchmark_id, g.kind, g.extra, g.reason, g.granted_by, g.created_at, g.expires_at,
       g.revoked_at
from quota_grants g join teams t on t.id = g.team_id
where (%(benchmark_id)s::text is null or g.benchmark_id = %(benchmark_id)s)
  and (%(team_id)s::uuid is null or g.team_id = %(team_id)s)
  and (%(id)s::uuid is null or g.id = %(id)s)
  and (%(after_at)s::timestamptz is null or (g.created_at, g.id) < (%(after_at)s, %(after_id)s::uuid))
order by g.created_at desc, g.id desc
limit %(limit)s;

-- name: revoke_grant
update quota_grants set revoked_at = now() where id = %(id)s and revoked_at is null;
