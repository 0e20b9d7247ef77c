"""Leases, runs and scores in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from psycopg import Connection

from scorer.contract import ProgressLine
from server.db.queries import Queries
from server.scoring.model import DeadLetter, LockedSubmission, NewScore, Run, Stuck, Waiting
from server.storage.port import Stored

_QUERIES = Queries("runs")


@dataclass(frozen=True)
class _Token:
    token: int


@dataclass(frozen=True)
class _Hash:
    sha256: str


@dataclass(frozen=True)
class _Subset:
    subset: str


@dataclass(frozen=True)
class _Protocol:
    protocol: str


@dataclass(frozen=True)
class _Count:
    count: int


def claim_gate(conn: Connection, submission_id: UUID, *, owner: str, lease: timedelta, max_attempts: int) -> int | None:
    """Begin to check an archive; the fencing token, or None when there is nothing to do for us."""
    row = _QUERIES.maybe(
        conn, "claim_gate", _Token, id=submission_id, owner=owner, lease=lease, max_attempts=max_attempts
    )
    return row.token if row else None


def beat_gate(conn: Connection, submission_id: UUID, *, token: int, lease: timedelta) -> bool:
    """Prolong the check's lease; False when it is no longer ours."""
    return _QUERIES.run(conn, "beat_gate", id=submission_id, token=token, lease=lease) == 1


def note_archive(conn: Connection, submission_id: UUID, *, token: int, stored: Stored) -> str | None:
    """Remember what the archive is, as it was read for the check; its sha256 on record, None when the lease is lost."""
    row = _QUERIES.maybe(conn, "note_archive", _Hash, id=submission_id, token=token, **stored._asdict())
    return row.sha256 if row else None


def hold_gate(conn: Connection, submission_id: UUID, *, token: int) -> bool:
    """Lock the submission for the verdict; False when the lease is no longer ours."""
    return _QUERIES.maybe(conn, "hold_gate", _Token, id=submission_id, token=token) is not None


def release_gate(conn: Connection, submission_id: UUID, *, token: int, delay: timedelta) -> None:
    """Let the sweep hand the check to somebody, not before ``delay``."""
    _QUERIES.run(conn, "release_gate", id=submission_id, token=token, delay=delay)


def gate_attempts(conn: Connection, submission_id: UUID) -> int:
    """How often an archive's check has begun since it came or was tried anew."""
    return _QUERIES.one(conn, "gate_attempts", _Count, id=submission_id).count


def add_run(
    conn: Connection, submission: LockedSubmission, subset: str, *, delay: timedelta = timedelta(0)
) -> Run | None:
    """The next attempt at a subset, not to begin before ``delay``; None while one is alive or has succeeded."""
    return _QUERIES.maybe(
        conn,
        "add_run",
        Run,
        submission_id=submission.id,
        subset=subset,
        protocol=submission.protocol,
        benchmark_version=submission.benchmark_version,
        delay=delay,
    )


def claim_run(conn: Connection, run_id: UUID, *, owner: str, lease: timedelta) -> Run | None:
    """Take a queued run; None when somebody else has it or it is no longer wanted.

    While its team is at work and another team waits, it is the other team's run that is taken, under races too: claims
    are made one after the other.
    """
    _QUERIES.run(conn, "lock_claims")
    return _QUERIES.maybe(conn, "claim_run", Run, id=run_id, owner=owner, lease=lease)


def beat_run(conn: Connection, run: Run, progress: ProgressLine | None, *, lease: timedelta) -> bool:
    """Prolong a run's lease and note its progress; False when it is no longer ours or no longer wanted."""
    touched = _QUERIES.run(
        conn,
        "beat_run",
        id=run.id,
        token=run.lease_token,
        lease=lease,
        stage=progress.stage if progress else None,
        done=progress.done if progress else None,
        total=progress.total if progress else None,
    )
    return touched == 1


def succeed_run(conn: Connection, run: Run, *, total: int, report_key: str, report_sha256: str) -> bool:
    """Close a run with its report; False when the token is an old one, and then nothing has changed."""
    parameters = {"total": total, "report_key": report_key, "report_sha256": report_sha256}
    return _QUERIES.run(conn, "succeed_run", id=run.id, token=run.lease_token, **parameters) == 1


def end_run(conn: Connection, run: Run, *, state: Literal["failed", "lost"], code: str, message: str) -> bool:
    """Close a run that gave no scores; False when the token is an old one."""
    touched = _QUERIES.run(conn, "end_run", id=run.id, token=run.lease_token, state=state, code=code, message=message)
    return touched == 1


def add_scores(conn: Connection, run: Run, scores: Sequence[NewScore]) -> None:
    """Write a run's numbers, once and for all."""
    owner = {"submission_id": run.submission_id, "run_id": run.id, "subset": run.subset}
    _QUERIES.run_many(conn, "add_score", [{**owner, **asdict(score)} for score in scores])


def lock_submission(conn: Connection, submission_id: UUID) -> LockedSubmission | None:
    """A submission, locked until the transaction ends."""
    return _QUERIES.maybe(conn, "lock_submission", LockedSubmission, id=submission_id)


def unscored_subsets(conn: Connection, submission_id: UUID) -> list[str]:
    """The subsets that have no succeeded run yet."""
    return [row.subset for row in _QUERIES.all(conn, "unscored_subsets", _Subset, submission_id=submission_id)]


def next_waiting(conn: Connection) -> Waiting | None:
    """The run that a free hand should take next, if any is due."""
    return _QUERIES.maybe(conn, "next_waiting", Waiting)


def scored_protocols(conn: Connection, run: Run) -> set[str]:
    """The protocols under which the run's subset has its numbers already."""
    found = _QUERIES.all(conn, "scored_protocols", _Protocol, submission_id=run.submission_id, subset=run.subset)
    return {row.protocol for row in found}


def expired_submissions(conn: Connection, *, patience: timedelta) -> list[Stuck]:
    """Submissions that have waited longer than ``patience`` for an archive that nobody is sending, locked."""
    return _QUERIES.all(conn, "expired_submissions", Stuck, patience=patience)


def dead_letters(conn: Connection, *, limit: int, after: tuple[datetime, UUID] | None) -> list[DeadLetter]:
    """What we could not finish, newest first, older than the one that failed at ``after``."""
    at, identity = after or (None, None)
    return _QUERIES.all(conn, "dead_letters", DeadLetter, limit=limit, after_at=at, after_id=identity)


def dead_runs(conn: Connection) -> list[Run]:
    """Runs whose lease has run out, locked."""
    return _QUERIES.all(conn, "dead_runs", Run)


def waiting_gates(conn: Connection, *, patience: timedelta) -> list[Waiting]:
    """Archives that wait for a check longer than ``patience``; they count as told to the queue now."""
    return _QUERIES.all(conn, "waiting_gates", Waiting, patience=patience)


def waiting_runs(conn: Connection, *, patience: timedelta) -> list[Waiting]:
    """Runs that wait longer than ``patience``; they count as told to the queue now."""
    return _QUERIES.all(conn, "waiting_runs", Waiting, patience=patience)


def runless_submissions(conn: Connection, *, patience: timedelta) -> list[Stuck]:
    """Accepted submissions with a subset that no run stands for."""
    return _QUERIES.all(conn, "runless_submissions", Stuck, patience=patience)


def settleable_submissions(conn: Connection, *, patience: timedelta) -> list[Stuck]:
    """Wholly scored submissions that have not been told so."""
    return _QUERIES.all(conn, "settleable_submissions", Stuck, patience=patience)


def attempts_of_subset(conn: Connection, submission_id: UUID, subset: str) -> int:
    """How often a subset has been tried since the submission was last accepted or an attempt last made progress."""
    row = _QUERIES.one(conn, "attempts_of_subset", _Count, submission_id=submission_id, subset=subset)
    return row.count
