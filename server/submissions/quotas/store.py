"""Quotas in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import Connection

from server.db.queries import Queries
from server.submissions.quotas.model import Grant, Granted, Kind, Limits, Usage

_QUERIES = Queries("quotas")


@dataclass(frozen=True)
class _Id:
    id: UUID


def lock_team(conn: Connection, team_id: UUID) -> None:
    """Let this team's submissions begin one after the other, until the transaction ends."""
    _QUERIES.one(conn, "lock_team", _Id, team_id=team_id)


def usage(conn: Connection, *, team_id: UUID, benchmark_id: str, free: Iterable[str], at_work: Iterable[str]) -> Usage:
    """What a team has used. ``free``: the states that cost nothing; ``at_work``: those that hold a place at once."""
    states = {"free": list(free), "at_work": list(at_work)}
    return _QUERIES.one(conn, "usage", Usage, team_id=team_id, benchmark_id=benchmark_id, **states)


def limits(conn: Connection, benchmark_id: str) -> Limits | None:
    """A benchmark's own limits; None where the settings hold."""
    return _QUERIES.maybe(conn, "limits", Limits, benchmark_id=benchmark_id)


def set_limits(conn: Connection, benchmark_id: str, new: Limits) -> None:
    """Give a benchmark limits of its own."""
    _QUERIES.run(
        conn,
        "set_limits",
        benchmark_id=benchmark_id,
        per_day=new.per_day,
        total=new.total,
        at_once=new.at_once,
    )


def granted(conn: Connection, *, team_id: UUID, benchmark_id: str) -> Granted:
    """What is granted to a team now."""
    return _QUERIES.one(conn, "granted", Granted, team_id=team_id, benchmark_id=benchmark_id)


def add_grant(
    conn: Connection,
    *,
    team_id: UUID,
    benchmark_id: str,
    kind: Kind,
    extra: int,
    reason: str,
    granted_by: str,
    expires_at: datetime | None,
) -> UUID:
    """Write down a grant."""
    row = _QUERIES.one(
        conn,
        "add_grant",
        _Id,
        team_id=team_id,
        benchmark_id=benchmark_id,
        kind=kind,
        extra=extra,
        reason=reason,
        granted_by=granted_by,
        expires_at=expires_at,
    )
    return row.id


def grants(
    conn: Connection,
    *,
    benchmark_id: str | None,
    team_id: UUID | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[Grant]:
    """Grants, newest first, older than the one made at ``after``; of one benchmark or team, or of all (None)."""
    at, identity = after or (None, None)
    filters = {"benchmark_id": benchmark_id, "team_id": team_id, "id": None}
    return _QUERIES.all(conn, "grants", Grant, **filters, limit=limit, after_at=at, after_id=identity)


def grant(conn: Connection, grant_id: UUID) -> Grant | None:
    """One grant, or None."""
    anything = dict.fromkeys(("benchmark_id", "team_id", "after_at", "after_id"))
    return _QUERIES.maybe(conn, "grants", Grant, id=grant_id, limit=1, **anything)


def revoke_grant(conn: Connection, grant_id: UUID) -> bool:
    """End a grant now; False when it had been revoked before."""
    return _QUERIES.run(conn, "revoke_grant", id=grant_id) == 1
