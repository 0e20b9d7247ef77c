-- name: claim
-- Who is at work with this key holds the lock until the transaction ends, however it ends.
select pg_try_advisory_xact_lock(hashtextextended(%(caller)s || chr(10) || %(key)s, 7)) as claimed;

-- name: earlier
select request_hash, status, headers, body from idempotency_keys
where caller = %(caller)s and key = %(key)s and expires_at > now();

-- name: keep
insert into idempotency_keys (caller, key, request_hash, status, headers, body, expires_at)
values (%(caller)s, %(key)s, %(request_hash)s, %(status)s, %(headers)s, %(body)s, now() + %(lifetime)s)
on conflict (caller, key) do update
set request_hash = excluded.request_hash, status = excluded.status, headers = excluded.headers, body = excluded.body,
    created_at = now(), expires_at = excluded.expires_at;

-- name: forget_expired
delete from idempotency_keys where expires_at < now();
