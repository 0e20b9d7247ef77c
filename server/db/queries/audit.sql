-- The audit log: only ever added to; a trigger refuses everything else.

-- name: record
insert into audit_log (actor, action, subject, detail) values (%(actor)s, %(action)s, %(subject)s, %(detail)s);

-- name: list
select id, at, actor, action, subject, detail from audit_log
where (%(after)s::bigint is null or id < %(after)s)
order by id desc
limit %(limit)s;
