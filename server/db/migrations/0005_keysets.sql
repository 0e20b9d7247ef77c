-- Lists go on behind a row (created_at, id), newest first; an index in that order gives the next page at once.
drop index submissions_by_team;
create index submissions_by_team on submissions (team_id, created_at, id);
create index submissions_by_time on submissions (created_at, id);
