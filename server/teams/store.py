"""Teams and tokens in the database."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from psycopg import Connection

from server import names
from server.db.queries import Queries
from server.teams.model import Caller, Role, Team

_QUERIES = Queries("teams")


def find_or_make_team(conn: Connection, *, name: str) -> Team:
    """The team of that name (case, width and spaces do not matter), made when there is none."""
    row = {"name": name, "key": names.key(name)}
    # Two first logins at once: the loser's insert sees the winner's row only in a new statement.
    found = _QUERIES.maybe(conn, "find_or_make_team", Team, **row)
    return found or _QUERIES.one(conn, "find_or_make_team", Team, **row)


def find_team(conn: Connection, *, name: str) -> Team | None:
    """The team of that name, however it is spelled; None when there is none."""
    return _QUERIES.maybe(conn, "find_team", Team, key=names.key(name))


def add_token(
    conn: Connection, *, team_id: UUID | None, role: Role, prefix: str, hashed: bytes, lifetime: timedelta
) -> None:
    """Remember a token by its hash."""
    _QUERIES.run(conn, "add_token", team_id=team_id, role=role, prefix=prefix, hash=hashed, lifetime=lifetime)


def caller_of_token(conn: Connection, *, hashed: bytes) -> Caller | None:
    """Whom an unexpired token speaks for."""
    return _QUERIES.maybe(conn, "caller_of_token", Caller, hash=hashed)
