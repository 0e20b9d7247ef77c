-- name: find_or_make_team
-- The team of that name, however it is spelled; made when there is none. The update changes nothing: it lets the statement
-- give back a team that another transaction made at the same moment.
insert into teams (name, name_key) values (%(name)s, %(key)s)
on conflict (name_key) do update set name = teams.name
returning id, name;

-- name: add
insert into teams (name, name_key, created_by) values (%(name)s, %(key)s, %(created_by)s)
on conflict (name_key) do nothing
returning id, name;

-- name: find_team
select id, name from teams where name_key = %(key)s;

-- name: get
select id, name from teams where id = %(id)s;

-- name: lock
-- Whoever changes who owns a team holds its row, so that two owners cannot leave at once.
select id, name from teams where id = %(id)s for no key update;

-- name: rename
update teams set name = %(name)s, name_key = %(key)s
where id = %(id)s and not exists (select from teams other where other.name_key = %(key)s and other.id <> %(id)s);

-- name: made_by
-- How many teams a user has made; their row is held, so that two requests at once cannot both be the last one allowed.
select count(teams.id) as number
from (select id from users where id = %(user_id)s for no key update) maker left join teams on teams.created_by = maker.id;

-- name: of_user
select t.id, t.name, m.role
from team_members m join teams t on t.id = m.team_id
where m.user_id = %(user_id)s
order by m.joined_at, t.id;

-- name: members
select u.id as user_id, u.name, m.role, m.joined_at
from team_members m join users u on u.id = m.user_id
where m.team_id = %(team_id)s
  and (%(after_at)s::timestamptz is null or (m.joined_at, m.user_id) > (%(after_at)s, %(after_id)s::uuid))
order by m.joined_at, m.user_id
limit %(limit)s;

-- name: role_of
select role from team_members where team_id = %(team_id)s and user_id = %(user_id)s;

-- name: add_member
insert into team_members (team_id, user_id, role) values (%(team_id)s, %(user_id)s, %(role)s)
on conflict do nothing;

-- name: set_role
update team_members set role = %(role)s where team_id = %(team_id)s and user_id = %(user_id)s;

-- name: remove_member
delete from team_members where team_id = %(team_id)s and user_id = %(user_id)s;

-- name: other_owners
select count(*) as number from team_members
where team_id = %(team_id)s and role = 'owner' and user_id <> %(user_id)s;

-- name: invite
insert into invitations (team_id, role, hash, invited_by, expires_at)
values (%(team_id)s, %(role)s, %(hash)s, %(invited_by)s, now() + %(lifetime)s)
returning id, role, created_at, expires_at, revoked_at, accepted_at, null::text as accepted_by;

-- name: open_invitations
select count(*) as number from invitations
where team_id = %(team_id)s and revoked_at is null and accepted_at is null and expires_at > now();

-- name: invitations
select i.id, i.role, i.created_at, i.expires_at, i.revoked_at, i.accepted_at, u.name as accepted_by
from invitations i left join users u on u.id = i.accepted_by
where i.team_id = %(team_id)s
  and (%(after_at)s::timestamptz is null or (i.created_at, i.id) < (%(after_at)s, %(after_id)s::uuid))
order by i.created_at desc, i.id desc
limit %(limit)s;

-- name: revoke_invitation
update invitations set revoked_at = now()
where id = %(id)s and team_id = %(team_id)s and revoked_at is null and accepted_at is null;

-- name: invitation
-- One that can still be accepted.
select i.team_id, t.name as team_name, i.role, u.name as invited_by, i.expires_at
from invitations i join teams t on t.id = i.team_id join users u on u.id = i.invited_by
where i.hash = %(hash)s and i.revoked_at is null and i.accepted_at is null and i.expires_at > now();

-- name: accept
-- Of two who accept at once, the second finds it accepted.
update invitations set accepted_at = now(), accepted_by = %(user_id)s
where hash = %(hash)s and revoked_at is null and accepted_at is null and expires_at > now();
