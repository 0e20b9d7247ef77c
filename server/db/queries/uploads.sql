-- name: add
insert into uploads (submission_id, archive_key, part_bytes, most_bytes, declared_bytes, declared_sha256, expires_at)
values (%(submission_id)s, %(archive_key)s, %(part_bytes)s, %(most_bytes)s, %(declared_bytes)s, %(declared_sha256)s,
        now() + %(lifetime)s)
on conflict (submission_id) where state = 'open' do nothing
returning id, submission_id, state, archive_key, storage_id, part_bytes, most_bytes, declared_bytes, declared_sha256,
          created_at, expires_at, expires_at < now() as expired;

-- name: get
select id, submission_id, state, archive_key, storage_id, part_bytes, most_bytes, declared_bytes, declared_sha256,
       created_at, expires_at, expires_at < now() as expired
from uploads where id = %(id)s and submission_id = %(submission_id)s;

-- name: list
select id, submission_id, state, archive_key, storage_id, part_bytes, most_bytes, declared_bytes, declared_sha256,
       created_at, expires_at, expires_at < now() as expired
from uploads where submission_id = %(submission_id)s order by created_at desc, id
limit 20;

-- name: wait_briefly
select set_config('lock_timeout', '2s', true);

-- name: lock
select id, submission_id, state, archive_key, storage_id, part_bytes, most_bytes, declared_bytes, declared_sha256,
       created_at, expires_at, expires_at < now() as expired
from uploads where id = %(id)s and submission_id = %(submission_id)s
for update;

-- name: set_storage_id
update uploads set storage_id = %(storage_id)s where id = %(id)s;

-- name: end
update uploads set state = %(state)s::upload_state, declared_sha256 = coalesce(%(sha256)s, declared_sha256)
where id = %(id)s and state = 'open';

-- name: expire
-- Makes room for another one; the sweep cleans up behind it.
update uploads set state = 'aborted' where submission_id = %(submission_id)s and state = 'open' and expires_at < now();

-- name: add_part
insert into upload_parts (upload_id, number, bytes, sha256)
values (%(upload_id)s, %(number)s, %(bytes)s, %(sha256)s)
on conflict do nothing;

-- name: parts
select number, bytes as size, sha256 from upload_parts where upload_id = %(upload_id)s order by number;

-- name: team_of_storage_id
-- Whose open upload it is that a signed URL of this service speaks of.
select s.team_id from uploads u join submissions s on s.id = u.submission_id
where u.storage_id = %(storage_id)s and u.state = 'open';

-- name: declared_sha256
-- What the team said of the archive that was accepted; nothing where it said nothing.
select u.declared_sha256 as sha256
from uploads u join submissions s on s.id = u.submission_id and s.archive_key = u.archive_key
where s.id = %(submission_id)s and u.state = 'completed' and u.declared_sha256 is not null;

-- name: over
-- Uploads that are over and may have left something at the storage: given up, expired, or of a submission that no longer
-- waits for an archive. A while after the expiry: a completion that began in time has long ended then.
update uploads set state = case when state = 'open' then 'aborted' else state end
where id in (
    select u.id from uploads u join submissions s on s.id = u.submission_id
    where u.cleaned_at is null
      and (u.state <> 'open' or u.expires_at < now() - interval '10 minutes' or s.state <> 'created')
    order by u.created_at
    limit 100
    for update of u skip locked
)
returning id, archive_key, state = 'completed' as completed;

-- name: cleaned
update uploads set cleaned_at = now() where id = %(id)s;
