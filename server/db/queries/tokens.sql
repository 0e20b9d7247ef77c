-- Tokens and sessions: whom a secret speaks for.

-- name: add
insert into api_tokens (user_id, team_id, role, name, scopes, prefix, hash, expires_at)
values (%(user_id)s, %(team_id)s, %(role)s, %(name)s, %(scopes)s, %(prefix)s, %(hash)s,
        least(now() + %(lifetime)s, %(not_after)s))
returning id, name, prefix, scopes, created_at, expires_at, used_at, revoked_at, team_id,
          (select teams.name from teams where teams.id = api_tokens.team_id) as team_name;

-- name: alive
select count(*) as number from api_tokens where user_id = %(user_id)s and revoked_at is null and expires_at > now();

-- name: list
-- A user's own; of one team only when one is named.
select t.id, t.name, t.prefix, t.scopes, t.created_at, t.expires_at, t.used_at, t.revoked_at, t.team_id,
       teams.name as team_name
from api_tokens t left join teams on teams.id = t.team_id
where t.user_id = %(user_id)s and (not %(narrow)s or t.team_id is not distinct from %(team_id)s)
  and (%(after_at)s::timestamptz is null or (t.created_at, t.id) < (%(after_at)s, %(after_id)s::uuid))
order by t.created_at desc, t.id desc
limit %(limit)s;

-- name: revoke
update api_tokens set revoked_at = coalesce(revoked_at, now())
where id = %(id)s and user_id = %(user_id)s and (not %(narrow)s or team_id is not distinct from %(team_id)s);

-- name: of_token
-- A team's token speaks only while its user is of the team.
select t.id as token_id, false as by_session, t.role = 'maintainer' as as_maintainer, t.team_id,
       teams.name as team_name, m.role as team_role, t.scopes, t.expires_at,
       coalesce(t.used_at < now() - interval '1 hour', true) as stale,
       u.id as user_id, u.name as user_name, u.issuer, u.subject, u.email, u.email_verified, u.maintainer
from api_tokens t
join users u on u.id = t.user_id
left join team_members m on m.team_id = t.team_id and m.user_id = t.user_id
left join teams on teams.id = m.team_id
where t.hash = %(hash)s and t.expires_at > now() and t.revoked_at is null
  and (t.team_id is null or m.user_id is not null);

-- name: used
-- At most once an hour; of requests at once one writes and the others do not wait for it.
update api_tokens set used_at = now()
where id = (select id from api_tokens where id = %(id)s for no key update skip locked);

-- name: of_session
select s.id as token_id, true as by_session, s.maintainer as as_maintainer, m.team_id, teams.name as team_name,
       m.role as team_role, array['read', 'submit', 'admin'] as scopes, s.expires_at, false as stale,
       u.id as user_id, u.name as user_name, u.issuer, u.subject, u.email, u.email_verified, u.maintainer
from sessions s
join users u on u.id = s.user_id
left join team_members m on m.team_id = s.team_id and m.user_id = s.user_id
left join teams on teams.id = m.team_id
where s.hash = %(hash)s and s.expires_at > now();

-- name: begin_session
-- For the team that the user has been in longest; a maintainer without a team begins as maintainer.
with first as (
    select team_id from team_members where user_id = %(user_id)s order by joined_at, team_id limit 1
)
insert into sessions (user_id, hash, team_id, maintainer, expires_at)
values (%(user_id)s, %(hash)s, (select team_id from first), %(maintainer)s and not exists (select from first),
        now() + %(lifetime)s);

-- name: drop_ended_sessions
delete from sessions where user_id = %(user_id)s and expires_at < now();

-- name: act_for
update sessions set team_id = %(team_id)s, maintainer = %(maintainer)s where id = %(id)s;

-- name: end_session
delete from sessions where id = %(id)s;

-- name: end_sessions
delete from sessions where user_id = %(user_id)s;
