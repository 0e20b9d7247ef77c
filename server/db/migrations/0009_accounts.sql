-- Accounts: people sign in at a provider, belong to teams, and make tokens of their own; sessions of the website.

create type team_role as enum ('owner', 'member');

create table users (
    id uuid primary key default gen_random_uuid(),
    issuer text not null,
    subject text not null,
    name text not null,
    email text,
    email_verified boolean not null default false,
    maintainer boolean not null default false,
    created_at timestamptz not null default now(),
    signed_in_at timestamptz not null default now(),
    unique (issuer, subject)
);
create index users_by_time on users (created_at, id);

alter table teams add column created_by uuid references users;
create index teams_by_maker on teams (created_by);

create table team_members (
    team_id uuid not null references teams,
    user_id uuid not null references users,
    role team_role not null,
    joined_at timestamptz not null default now(),
    primary key (team_id, user_id)
);
create index team_members_by_user on team_members (user_id);

create table invitations (
    id uuid primary key default gen_random_uuid(),
    team_id uuid not null references teams,
    role team_role not null,
    hash bytea not null unique,
    invited_by uuid not null references users,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    accepted_at timestamptz,
    accepted_by uuid references users,
    check ((accepted_at is null) = (accepted_by is null)),
    check (accepted_at is null or revoked_at is null)
);
create index invitations_by_team on invitations (team_id, created_at, id);

create table sign_ins (
    hash bytea primary key,
    browser_hash bytea not null,
    provider text not null,
    verifier text not null,
    nonce text not null,
    return_to text not null,
    expires_at timestamptz not null
);
create index sign_ins_by_end on sign_ins (expires_at);

create table sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references users,
    hash bytea not null unique,
    team_id uuid references teams,
    maintainer boolean not null default false,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    check (not (maintainer and team_id is not null))
);
create index sessions_by_user on sessions (user_id);

-- Until now only the development login made tokens, and they belong to no user: they end here.
delete from api_tokens;
alter table api_tokens add column user_id uuid not null references users;
alter table api_tokens add column name text not null;
alter table api_tokens add column scopes text[] not null;
alter table api_tokens add column used_at timestamptz;
alter table api_tokens add column revoked_at timestamptz;
alter table api_tokens add constraint api_tokens_scopes_check
    check (cardinality(scopes) > 0 and scopes <@ array['read', 'submit', 'admin']);
create index api_tokens_by_user on api_tokens (user_id, created_at, id);
