-- Users, and sign-ins on their way.

-- name: signed_in
-- The user of an identity, with what the provider says of them now.
insert into users (issuer, subject, name, email, email_verified)
values (%(issuer)s, %(subject)s, %(name)s, %(email)s, %(email_verified)s)
on conflict (issuer, subject) do update
set name = excluded.name, email = excluded.email, email_verified = excluded.email_verified, signed_in_at = now()
returning id, name, issuer, subject, email, email_verified, maintainer;

-- name: get
select id, name, issuer, subject, email, email_verified, maintainer from users where id = %(id)s;

-- name: list
select id, name, issuer, subject, email, email_verified, maintainer, created_at from users
where %(after_at)s::timestamptz is null or (created_at, id) < (%(after_at)s, %(after_id)s::uuid)
order by created_at desc, id desc
limit %(limit)s;

-- name: set_maintainer
update users set maintainer = %(maintainer)s where id = %(id)s and maintainer <> %(maintainer)s;

-- name: begin
insert into sign_ins (hash, browser_hash, provider, verifier, nonce, return_to, expires_at)
values (%(hash)s, %(browser_hash)s, %(provider)s, %(verifier)s, %(nonce)s, %(return_to)s, now() + %(lifetime)s);

-- name: forget_old
delete from sign_ins where expires_at < now();

-- name: take
-- Out of the table with the first who comes back: nobody comes back twice.
delete from sign_ins
where hash = %(hash)s and browser_hash = %(browser_hash)s and provider = %(provider)s and expires_at > now()
returning provider, verifier, nonce, return_to;
