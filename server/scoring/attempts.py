"""Runs as attempts: the next one, the last one, and what is settled with them. Inside the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from psycopg import Connection

from server.scoring import store
from server.scoring.backoff import delay
from server.scoring.model import LockedSubmission, Run
from server.scoring.words import Words
from server.settings import Settings
from server.submissions import service as submissions
from server.submissions import store as submission_store
from server.submissions.lifecycle import State

_WANTED = {State.QUEUED, State.SCORING}


def locked(conn: Connection, submission_id: UUID) -> LockedSubmission:
    """A submission, locked until the transaction ends. Raises LookupError."""
    found = store.lock_submission(conn, submission_id)
    if found is None:
        raise LookupError(f"there is no submission {submission_id}")
    return found


def add_runs(conn: Connection, submission_id: UUID) -> list[Run]:
    """A run for every subset that has neither scores nor a run alive."""
    submission = locked(conn, submission_id)
    subsets = store.unscored_subsets(conn, submission_id)
    return [run for subset in subsets if (run := store.add_run(conn, submission, subset)) is not None]


def try_again(conn: Connection, run: Run, words: Words, *, retryable: bool, settings: Settings) -> Run | None:
    """Queue the next attempt, or fail the submission when none is left; None when there is none to queue.

    Only attempts since the last that committed something count: a long run may outlive any number of workers.

    A submission that fails here is a dead letter: maintainers see it and may try it again.
    """
    submission = locked(conn, run.submission_id)
    if submission.state not in _WANTED:
        return None
    tried = max(1, store.attempts_of_subset(conn, run.submission_id, run.subset))
    if retryable and tried < settings.max_attempts:
        wait = delay(tried + 1, seed=f"{run.submission_id} {run.subset}", settings=settings)
        return store.add_run(conn, submission, run.subset, delay=wait)
    submissions.fail(conn, run.submission_id, **words._asdict())
    return None


def settle(conn: Connection, submission_id: UUID) -> None:
    """Say `scored` when no subset is left; the lock lets the last of several runs see the others."""
    submission = locked(conn, submission_id)
    if submission.state in _WANTED and not store.unscored_subsets(conn, submission_id):
        submission_store.move(conn, submission_id, State.SCORING)
        submission_store.move(conn, submission_id, State.SCORED)
