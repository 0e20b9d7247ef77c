"""Targets and deliveries in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import Connection

from server.db.queries import Queries
from server.notices.model import Claimed, Delivery, DeliveryState, Kind, Subject, Target

_QUERIES = Queries("notices")


@dataclass(frozen=True)
class _Id:
    id: UUID


def lock_team(conn: Connection, team_id: UUID) -> None:
    """Let a team's targets be added one after the other."""
    _QUERIES.one(conn, "lock_team", _Id, team_id=team_id)


def add_target(conn: Connection, *, team_id: UUID, kind: Kind, address: str, confirmed: bool) -> Target | None:
    """A new target; None when the team has it already."""
    row = {"team_id": team_id, "kind": kind, "address": address, "confirmed": confirmed}
    return _QUERIES.maybe(conn, "add_target", Target, **row)


def targets(conn: Connection, team_id: UUID) -> list[Target]:
    """A team's targets, oldest first."""
    return _QUERIES.all(conn, "targets", Target, team_id=team_id)


def target(conn: Connection, target_id: UUID, *, team_id: UUID) -> Target | None:
    """One target of a team, or None."""
    return _QUERIES.maybe(conn, "target", Target, id=target_id, team_id=team_id)


def confirm(conn: Connection, target_id: UUID) -> None:
    """Its owner has confirmed it."""
    _QUERIES.run(conn, "confirm", id=target_id)


def remove(conn: Connection, target_id: UUID) -> None:
    """Send nothing there any more; what was on its way is given up."""
    _QUERIES.run(conn, "remove", id=target_id)


def add_delivery(conn: Connection, *, target_id: UUID, what: str) -> UUID:
    """A notice of its own, which no event brought about."""
    return _QUERIES.one(conn, "add_delivery", _Id, target_id=target_id, what=what).id


def claim(conn: Connection, *, limit: int, lease: timedelta) -> list[Claimed]:
    """Take what is due, for as long as ``lease``."""
    return _QUERIES.all(conn, "claim", Claimed, limit=limit, lease=lease)


def subject(conn: Connection, claimed: Claimed) -> Subject | None:
    """What a claimed notice tells of; None for a test or a confirmation."""
    if claimed.submission_id is None:
        return None
    ids = {"submission_id": claimed.submission_id, "event_id": claimed.event_id}
    return _QUERIES.one(conn, "subject", Subject, **ids)


def delivered(conn: Connection, claimed: Claimed) -> bool:
    """It has arrived; False when somebody else has taken it meanwhile."""
    return _QUERIES.run(conn, "delivered", id=claimed.id, attempts=claimed.attempts) == 1


def postpone(conn: Connection, claimed: Claimed, *, error: str, pause: timedelta) -> bool:
    """It is to be tried again after ``pause``."""
    return _QUERIES.run(conn, "postpone", id=claimed.id, attempts=claimed.attempts, error=error, pause=pause) == 1


def bury(conn: Connection, claimed: Claimed, *, error: str) -> bool:
    """It is given up."""
    return _QUERIES.run(conn, "bury", id=claimed.id, attempts=claimed.attempts, error=error) == 1


def deliveries(
    conn: Connection,
    *,
    team_id: UUID | None,
    state: DeliveryState | None,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[Delivery]:
    """A team's deliveries (None: everybody's), newest first, older than the one at ``after``."""
    at, identity = after or (None, None)
    return _QUERIES.all(
        conn, "deliveries", Delivery, team_id=team_id, state=state, limit=limit, after_at=at, after_id=identity
    )


def revive(conn: Connection, delivery_id: UUID, *, team_id: UUID | None) -> bool:
    """Try a dead delivery anew; False when there is no such one."""
    return _QUERIES.run(conn, "revive", id=delivery_id, team_id=team_id) == 1
