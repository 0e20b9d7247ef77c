-- name: find_or_make_team
-- The team of that name, however it is spelled; made when there is none. The update changes nothing: it lets the statement
-- give back a team that another transaction made at the same moment.
insert into teams (name, name_key) values (%(name)s, %(key)s)
on conflict (name_key) do update set name = teams.name
returning id, name;

-- name: find_team
select id, name from teams where name_key = %(key)s;

-- name: add_token
insert into api_tokens (team_id, role, prefix, hash, expires_at)
values (%(team_id)s, %(role)s, %(prefix)s, %(hash)s, now() + %(lifetime)s);

-- name: caller_of_token
select t.id as token_id, t.role, t.team_id, teams.name as team_name
from api_tokens t left join teams on teams.id = t.team_id
where t.hash = %(hash)s and t.expires_at > now();
