"""One run, from its claim to the scores or to the next attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from uuid import UUID

from scorer.contract import Report
from server.db.pool import transaction
from server.scoring import attempts, folders, store
from server.scoring.heart import PASSING, Heart, LeaseLostError, patiently
from server.scoring.instruments import installation_of
from server.scoring.model import Run
from server.scoring.results import UntrustworthyResultError, read_report, scores_of
from server.scoring.runner import Outcome, OutcomeKind
from server.scoring.steps import StepEndedError, Steps
from server.scoring.tools import LOG, Tools
from server.scoring.words import RETRYABLE, SCORE_WORDS, words_for
from server.storage.port import put_file, report_key
from server.submissions import store as submission_store
from server.submissions.lifecycle import State


def score(tools: Tools, run_id: UUID) -> None:
    """Score one subset, if its run still waits, and settle the submission when it was the last one.

    Where the run's team is at work and another team waits, that team's run is scored instead.
    """
    with transaction(tools.pool) as conn:
        run = store.claim_run(conn, run_id, owner=tools.owner, lease=tools.lease)
        if run is not None:
            submission_store.move(conn, run.submission_id, State.SCORING)
    if run is None:
        LOG.info("run %s needs no scoring from us", run_id)
        return
    outcome = _scored(tools, run)
    if outcome is not None:
        LOG.error("run %s ended as %s: %s", run.id, outcome.kind, outcome.tail)
        patiently(lambda: _end_early(tools, run, outcome), seconds=tools.settings.lease_seconds)
    _tell_of_the_next(tools, after=run_id, done=run)


def _scored(tools: Tools, run: Run) -> Outcome | None:
    """None when the run has its scores, or is no longer ours to end; else how it ended."""
    try:
        steps = _steps(tools, run)
        with steps.report() as output:
            _take_report(steps, output)
    except StepEndedError as error:
        return error.outcome
    except LeaseLostError:
        return Outcome(kind=OutcomeKind.CANCELLED, exit_code=None, tail="the lease was lost")
    except UntrustworthyResultError as error:
        return Outcome(kind=OutcomeKind.DEFECT, exit_code=None, tail=str(error))
    except PASSING as error:
        LOG.exception("run %s cannot go on now", run.id)
        return Outcome(kind=OutcomeKind.RETRY, exit_code=None, tail=str(error))
    return None


def _steps(tools: Tools, run: Run) -> Steps:
    with transaction(tools.pool) as conn:
        submission = attempts.locked(conn, run.submission_id)
        version = folders.version_of(conn, submission.benchmark_id, run.benchmark_version)
    installation = installation_of(tools.settings.instruments, weights=tools.settings.weights)
    return Steps(tools, run, submission, version, installation, Heart(tools, run))


def _take_report(steps: Steps, output: Path) -> None:
    """The end of a run, in one transaction that names its token."""
    tools, run = steps.tools, steps.run
    report = read_report(output / "report.json", run=run, n=len(steps.samples))
    key = report_key(run.id)

    def settle() -> bool:
        stored = put_file(tools.storage, key, output / "report.json")
        return _close(tools, run, report, report_sha256=stored.sha256)

    steps.heart.insist(settle)


def _close(tools: Tools, run: Run, report: Report, *, report_sha256: str) -> bool:
    """False when the token is an old one, and then nothing has changed."""
    key, total = report_key(run.id), report.ranked.scores.overall.n
    with transaction(tools.pool) as conn:
        if not store.succeed_run(conn, run, total=total, report_key=key, report_sha256=report_sha256):
            LOG.warning("a late result of run %s is refused", run.id)
            return False
        standing = store.scored_protocols(conn, run)
        store.add_scores(conn, run, [one for one in scores_of(report) if one.protocol not in standing])
        attempts.settle(conn, run.submission_id)
    return True


def _end_early(tools: Tools, run: Run, outcome: Outcome) -> None:
    # Also a run that we gave up may be ours still: the database did not answer for as long as the lease.
    lost = outcome.kind is OutcomeKind.CANCELLED
    state: Literal["lost", "failed"] = "lost" if lost else "failed"
    words = words_for(outcome.kind, SCORE_WORDS)
    retryable = lost or outcome.kind in RETRYABLE
    with transaction(tools.pool) as conn:
        if not store.end_run(conn, run, state=state, code=str(outcome.kind), message=outcome.tail[-2000:]):
            return
        attempts.try_again(conn, run, words, retryable=retryable, settings=tools.settings)


def _tell_of_the_next(tools: Tools, *, after: UUID, done: Run) -> None:
    """A hint for the hand that is free now: the fair choice may be a run whose own hint was spent on another."""
    with transaction(tools.pool) as conn:
        waiting = store.next_waiting(conn)
    if waiting is not None:
        LOG.debug("after run %s (asked for %s) run %s is next", done.id, after, waiting.id)
        tools.queue.score(waiting.id)
