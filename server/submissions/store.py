"""Submissions in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from server.db.queries import Queries
from server.storage.port import Stored
from server.submissions.lifecycle import State, sources_of
from server.submissions.model import Event, NewSubmission, RunProgress, ScoreRow, StoredReport, Submission

_QUERIES = Queries("submissions")


@dataclass(frozen=True)
class _Id:
    id: UUID


@dataclass(frozen=True)
class _Key:
    archive_key: str | None


def add(
    conn: Connection,
    new: NewSubmission,
    *,
    team_id: UUID,
    benchmark_version: str,
    protocol: str,
) -> UUID:
    """Begin a submission; its id."""
    row = _QUERIES.one(
        conn,
        "add",
        _Id,
        team_id=team_id,
        benchmark_id=new.benchmark,
        benchmark_version=benchmark_version,
        protocol=protocol,
        model=new.model,
        organization=new.organization,
        description=new.description,
        url=new.url,
    )
    return row.id


def get(conn: Connection, submission_id: UUID) -> Submission | None:
    """One submission, or None."""
    return _QUERIES.maybe(conn, "get", Submission, id=submission_id)


def list_by_team(
    conn: Connection, team_id: UUID | None, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[Submission]:
    """A team's submissions (None: everybody's), newest first, older than the one begun at ``after``."""
    at, identity = after or (None, None)
    return _QUERIES.all(conn, "list_by_team", Submission, team_id=team_id, limit=limit, after_at=at, after_id=identity)


def move(
    conn: Connection,
    submission_id: UUID,
    target: State,
    *,
    detail: str = "",
    only_from: Collection[State] | None = None,
    embargo_until: datetime | None = None,
) -> bool:
    """Move to ``target`` and log it, if the present state allows; False when it does not.

    ``only_from``: which of the states that lead there are meant; None: all. ``embargo_until``: for an embargo.
    """
    sources = [str(state) for state in sources_of(target) if only_from is None or state in only_from]
    parameters = {"sources": sources, "detail": detail, "embargo_until": embargo_until}
    return _QUERIES.run(conn, "move", id=submission_id, target=str(target), **parameters) == 1


def embargoes_over(conn: Connection) -> list[UUID]:
    """Submissions whose embargo has ended, held until the transaction ends."""
    return [row.id for row in _QUERIES.all(conn, "embargoes_over", _Id)]


def set_archive(conn: Connection, submission_id: UUID, *, key: str, stored: Stored) -> None:
    """Remember where the archive lies, how large it is and its sha256."""
    _QUERIES.run(conn, "set_archive", id=submission_id, key=key, sha256=stored.sha256, size=stored.size)


def set_unread_archive(conn: Connection, submission_id: UUID, *, key: str, size: int) -> None:
    """Remember where the archive lies and how large it is."""
    _QUERIES.run(conn, "set_archive", id=submission_id, key=key, sha256=None, size=size)


def lock_archive_key(conn: Connection, submission_id: UUID) -> str | None:
    """Where the archive lies, None without one, once nobody else is changing the submission."""
    row = _QUERIES.maybe(conn, "lock_archive_key", _Key, id=submission_id)
    return row.archive_key if row else None


def drop_archive(conn: Connection, submission_id: UUID) -> None:
    """Forget where the archive lay; its size and hash stay."""
    _QUERIES.run(conn, "drop_archive", id=submission_id)


def set_defects(conn: Connection, submission_id: UUID, defects: Sequence[dict[str, Any]]) -> None:
    """Remember what the gate found."""
    _QUERIES.run(conn, "set_defects", id=submission_id, defects=Jsonb(list(defects)))


def set_failure(conn: Connection, submission_id: UUID, *, code: str, title: str, remedy: str) -> None:
    """Remember why we failed, in words for the team."""
    _QUERIES.run(conn, "set_failure", id=submission_id, code=code, title=title, remedy=remedy)


def clear_failure(conn: Connection, submission_id: UUID) -> None:
    """Forget a failure and the attempts that led to it."""
    _QUERIES.run(conn, "clear_failure", id=submission_id)


def events(conn: Connection, submission_id: UUID) -> list[Event]:
    """The log of a submission, oldest first."""
    return _QUERIES.all(conn, "events", Event, id=submission_id)


def newest_runs(conn: Connection, submission_id: UUID) -> list[RunProgress]:
    """The newest attempt at each subset."""
    return _QUERIES.all(conn, "newest_runs", RunProgress, id=submission_id)


def scores(conn: Connection, submission_id: UUID) -> list[ScoreRow]:
    """All numbers of a submission, under every protocol."""
    return _QUERIES.all(conn, "scores", ScoreRow, id=submission_id)


def reports(conn: Connection, submission_id: UUID) -> list[StoredReport]:
    """Where the reports of a submission lie: one for each subset that was scored, by subset."""
    return _QUERIES.all(conn, "reports", StoredReport, id=submission_id)
