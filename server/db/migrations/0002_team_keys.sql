-- Teams are compared by a key that the service makes of the name (server/names.py), no longer by its lower case.

alter table teams add column name_key text;

-- The nearest that every supported PostgreSQL can say; of teams that are now one, the oldest keeps the name.
with keyed as (
    select id, created_at,
           replace(replace(lower(trim(regexp_replace(normalize(name, nfkc), '\s+', ' ', 'g'))), 'ß', 'ss'), 'ς', 'σ') as key
    from teams
), numbered as (
    select id, key, row_number() over (partition by key order by created_at, id) as place from keyed
)
update teams set name_key = case when numbered.place = 1 then numbered.key else numbered.key || ' ' || teams.id end
from numbered where numbered.id = teams.id;

alter table teams alter column name_key set not null;
drop index teams_name_key;
create unique index teams_name_key on teams (name_key);
