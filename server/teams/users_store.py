"""Users in the database."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from psycopg import Connection

from server.db.queries import Queries
from server.teams.model import KnownUser, User

_QUERIES = Queries("accounts")


def signed_in(
    conn: Connection, *, issuer: str, subject: str, name: str, email: str | None = None, email_verified: bool = False
) -> User:
    """The user of that identity, made at the first sign-in; name and e-mail are what the provider says now."""
    row = {"issuer": issuer, "subject": subject, "name": name, "email": email, "email_verified": email_verified}
    return _QUERIES.one(conn, "signed_in", User, **row)


def get(conn: Connection, user_id: UUID) -> User | None:
    """A user."""
    return _QUERIES.maybe(conn, "get", User, id=user_id)


def list_users(conn: Connection, *, limit: int, after: tuple[datetime, UUID] | None) -> list[KnownUser]:
    """All users, newest first, older than the one made at ``after``."""
    at, identity = after or (None, None)
    return _QUERIES.all(conn, "list", KnownUser, limit=limit, after_at=at, after_id=identity)


def set_maintainer(conn: Connection, user_id: UUID, *, maintainer: bool) -> bool:
    """Grant or take back; False when nothing changed."""
    return _QUERIES.run(conn, "set_maintainer", id=user_id, maintainer=maintainer) > 0
