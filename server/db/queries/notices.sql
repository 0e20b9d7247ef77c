-- Notices: targets, and an outbox that a trigger fills (see schema.sql).

-- name: add_target
insert into notice_targets (team_id, kind, address, confirmed_at)
values (%(team_id)s, %(kind)s, %(address)s, case when %(confirmed)s then now() end)
on conflict do nothing
returning id, team_id, kind, address, created_at, confirmed_at;

-- name: lock_team
select id from teams where id = %(team_id)s for no key update;

-- name: targets
select id, team_id, kind, address, created_at, confirmed_at from notice_targets
where team_id = %(team_id)s and removed_at is null
order by created_at, id;

-- name: target
select id, team_id, kind, address, created_at, confirmed_at from notice_targets
where id = %(id)s and team_id = %(team_id)s and removed_at is null;

-- name: confirm
update notice_targets set confirmed_at = coalesce(confirmed_at, now())
where id = %(id)s and removed_at is null;

-- name: remove
with removed as (
    update notice_targets set removed_at = now() where id = %(id)s and removed_at is null returning id
)
update deliveries set state = 'dead', ended_at = now(), last_error = 'the target was removed'
where target_id in (select id from removed) and state = 'pending';

-- name: add_delivery
insert into deliveries (target_id, what) values (%(target_id)s, %(what)s) returning id;

-- name: claim
-- What is due, for as long as one sending takes; another sender's are left to it.
with due as (
    select id from deliveries where state = 'pending' and next_attempt_at <= now()
    order by next_attempt_at
    limit %(limit)s
    for update skip locked
)
update deliveries d
set attempts = d.attempts + 1, next_attempt_at = now() + %(lease)s
from due, notice_targets t
where d.id = due.id and t.id = d.target_id
returning d.id, d.attempts, d.what, d.created_at, t.id as target_id, t.kind, t.address, d.submission_id, d.event_id;

-- name: subject
-- What a notice tells of: the submission, and the event that ended it.
select s.id, s.benchmark_id, b.title as benchmark_title, s.model, e.state, e.at, e.detail
from submissions s join benchmarks b on b.id = s.benchmark_id join submission_events e on e.submission_id = s.id
where s.id = %(submission_id)s and e.id = %(event_id)s;

-- name: delivered
update deliveries set state = 'delivered', ended_at = now(), last_error = null
where id = %(id)s and attempts = %(attempts)s and state = 'pending';

-- name: postpone
update deliveries set next_attempt_at = now() + %(pause)s, last_error = %(error)s
where id = %(id)s and attempts = %(attempts)s and state = 'pending';

-- name: bury
update deliveries set state = 'dead', ended_at = now(), last_error = %(error)s
where id = %(id)s and attempts = %(attempts)s and state = 'pending';

-- name: deliveries
select d.id, d.target_id, t.kind, t.address, d.submission_id, d.what, d.state, d.attempts, d.next_attempt_at, d.last_error,
       d.created_at, d.ended_at
from deliveries d join notice_targets t on t.id = d.target_id
where (%(team_id)s::uuid is null or t.team_id = %(team_id)s)
  and (%(state)s::delivery_state is null or d.state = %(state)s)
  and (%(after_at)s::timestamptz is null or (d.created_at, d.id) < (%(after_at)s, %(after_id)s::uuid))
order by d.created_at desc, d.id desc
limit %(limit)s;

-- name: revive
-- A dead delivery is tried anew, with all its attempts.
update deliveries d set state = 'pending', attempts = 0, next_attempt_at = now(), ended_at = null
from notice_targets t
where d.id = %(id)s and d.state = 'dead' and t.id = d.target_id and t.removed_at is null
  and (%(team_id)s::uuid is null or t.team_id = %(team_id)s);
