"""Tokens and sessions in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import Connection

from server.db.queries import Queries
from server.teams.model import Scope, TeamRole, Token, User

_QUERIES = Queries("tokens")


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What is known of a valid token or session and of its user; ``stale``: its last use should be written down."""

    token_id: UUID
    by_session: bool
    as_maintainer: bool
    team_id: UUID | None
    team_name: str | None
    team_role: TeamRole | None
    scopes: list[Scope]
    expires_at: datetime
    stale: bool
    user_id: UUID
    user_name: str
    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    maintainer: bool

    @property
    def user(self) -> User:
        """Whose it is."""
        return User(
            id=self.user_id,
            name=self.user_name,
            issuer=self.issuer,
            subject=self.subject,
            email=self.email,
            email_verified=self.email_verified,
            maintainer=self.maintainer,
        )


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """What a token is made of; ``team_id`` is None for a maintainer's, ``not_after`` None where nothing bounds it."""

    user_id: UUID
    team_id: UUID | None
    name: str
    scopes: frozenset[Scope]
    lifetime: timedelta
    not_after: datetime | None = None


@dataclass(frozen=True)
class _Count:
    number: int


def add_token(conn: Connection, new: NewToken, *, prefix: str, hashed: bytes) -> Token:
    """Remember a token by its hash."""
    return _QUERIES.one(
        conn,
        "add",
        Token,
        user_id=new.user_id,
        team_id=new.team_id,
        role="maintainer" if new.team_id is None else "team",
        name=new.name,
        scopes=sorted(new.scopes),
        prefix=prefix,
        hash=hashed,
        lifetime=new.lifetime,
        not_after=new.not_after,
    )


def living_tokens(conn: Connection, user_id: UUID) -> int:
    """How many tokens of a user are good today."""
    return _QUERIES.one(conn, "alive", _Count, user_id=user_id).number


def list_tokens(
    conn: Connection,
    user_id: UUID,
    *,
    narrow: bool,
    team_id: UUID | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[Token]:
    """A user's tokens, newest first, behind the one made at ``after``; with ``narrow`` of ``team_id`` alone."""
    at, identity = after or (None, None)
    which = {"user_id": user_id, "narrow": narrow, "team_id": team_id}
    return _QUERIES.all(conn, "list", Token, **which, limit=limit, after_at=at, after_id=identity)


def revoke_token(conn: Connection, token_id: UUID, *, user_id: UUID, narrow: bool, team_id: UUID | None) -> bool:
    """End a user's token; False when there is none such."""
    return _QUERIES.run(conn, "revoke", id=token_id, user_id=user_id, narrow=narrow, team_id=team_id) > 0


def of_token(conn: Connection, *, hashed: bytes) -> Credential | None:
    """A token that is neither over nor revoked."""
    return _QUERIES.maybe(conn, "of_token", Credential, hash=hashed)


def note_use(conn: Connection, token_id: UUID) -> None:
    """Write down that a token is in use."""
    _QUERIES.run(conn, "used", id=token_id)


def of_session(conn: Connection, *, hashed: bytes) -> Credential | None:
    """A session that is not over."""
    return _QUERIES.maybe(conn, "of_session", Credential, hash=hashed)


def begin_session(conn: Connection, user_id: UUID, *, hashed: bytes, maintainer: bool, lifetime: timedelta) -> None:
    """Remember a session by its hash; the user's ended ones are forgotten."""
    _QUERIES.run(conn, "drop_ended_sessions", user_id=user_id)
    _QUERIES.run(conn, "begin_session", user_id=user_id, hash=hashed, maintainer=maintainer, lifetime=lifetime)


def act_for(conn: Connection, session_id: UUID, *, team_id: UUID | None, maintainer: bool) -> None:
    """From now on a session speaks for that team, or as maintainer, or for nobody."""
    _QUERIES.run(conn, "act_for", id=session_id, team_id=team_id, maintainer=maintainer)


def end_session(conn: Connection, session_id: UUID) -> None:
    """End one session."""
    _QUERIES.run(conn, "end_session", id=session_id)


def end_sessions(conn: Connection, user_id: UUID) -> None:
    """End every session of a user."""
    _QUERIES.run(conn, "end_sessions", user_id=user_id)
