"""The sweep: looks at every state in which something is owed, and puts back what nobody works on."""

from __future__ import annotations

from datetime import timedelta

from server.db.pool import transaction
from server.errors import StorageError
from server.scoring import attempts, chunk_store, store
from server.scoring.tools import LOG, Tools
from server.scoring.words import GATE_WORDS, SCORE_WORDS
from server.submissions import service as submissions
from server.submissions import store as submission_store
from server.submissions.lifecycle import State


def sweep(tools: Tools) -> None:
    """Every state that is not the end of a submission: created, uploaded, validating, queued, scoring."""
    _dead_runs(tools)
    _stuck(tools)
    _gates(tools)
    _waiting_runs(tools)
    _never_uploaded(tools)
    _embargoes(tools)
    _chunks(tools)


def _patience(tools: Tools) -> timedelta:
    return timedelta(seconds=tools.settings.hint_seconds)


def _dead_runs(tools: Tools) -> None:
    """Attempts whose worker is gone; the next goes on after what they committed."""
    again = []
    with transaction(tools.pool) as conn:
        for run in store.dead_runs(conn):
            LOG.warning("run %s was lost with its worker", run.id)
            if store.end_run(conn, run, state="lost", code="lost", message="no heartbeat in time"):
                again.append(attempts.try_again(conn, run, SCORE_WORDS, retryable=True, settings=tools.settings))
    for run in filter(None, again):
        tools.queue.score(run.id)


def _stuck(tools: Tools) -> None:
    """Submissions that lack a run, or that are scored and were never told."""
    patience = _patience(tools)
    with transaction(tools.pool) as conn:
        stuck = store.runless_submissions(conn, patience=patience)
        new = [run for one in stuck for run in attempts.add_runs(conn, one.id)]
        for one in store.settleable_submissions(conn, patience=patience):
            attempts.settle(conn, one.id)
    for run in new:
        tools.queue.score(run.id)


def _gates(tools: Tools) -> None:
    """Archives that wait for a check, or whose checker is gone; one that outlives every checker fails."""
    most = tools.settings.max_attempts
    with transaction(tools.pool) as conn:
        waiting = store.waiting_gates(conn, patience=_patience(tools))
        for one in waiting:
            if one.attempt >= most:
                submissions.fail(conn, one.id, **GATE_WORDS._asdict())
    for one in waiting:
        if one.attempt < most:
            tools.queue.validate(one.id)


def _waiting_runs(tools: Tools) -> None:
    """Runs that are due and of which the queue has not been told lately."""
    with transaction(tools.pool) as conn:
        runs = store.waiting_runs(conn, patience=_patience(tools))
    for run in runs:
        tools.queue.score(run.id)


def _never_uploaded(tools: Tools) -> None:
    """Submissions that never got an archive end, so that they hold no place for ever."""
    patience = timedelta(seconds=tools.settings.upload_patience_seconds)
    with transaction(tools.pool) as conn:
        for one in store.expired_submissions(conn, patience=patience):
            LOG.info("submission %s got no archive in time", one.id)
            submission_store.move(conn, one.id, State.WITHDRAWN, detail="no archive came in time")


def _embargoes(tools: Tools) -> None:
    """What was to be published on its day, whose day has come."""
    with transaction(tools.pool) as conn:
        submissions.publish_due(conn)


def _chunks(tools: Tools) -> None:
    """What was kept for a next attempt goes once there will be none; the rows that tell of it stay."""
    with transaction(tools.pool) as conn:
        over = chunk_store.droppable(conn)
    for one in over:
        try:
            for key in one.keys:
                tools.storage.delete(key)
        except StorageError:
            LOG.exception("the chunks of %s cannot be deleted now", one.submission_id)
            return
        with transaction(tools.pool) as conn:
            chunk_store.note_dropped(conn, one.submission_id)
