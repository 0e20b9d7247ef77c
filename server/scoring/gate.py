"""The gate: an archive checked in a sandbox before anything is queued for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

from scorer.contract import Verdict
from server.db.pool import transaction
from server.errors import StorageError
from server.scoring import attempts, folders, store
from server.scoring.backoff import delay
from server.scoring.model import Run
from server.scoring.results import UntrustworthyResultError, another_archive, read_verdict
from server.scoring.runner import JobKind, Outcome, OutcomeKind
from server.scoring.tools import LOG, Tools, silent
from server.scoring.words import GATE_WORDS, RETRYABLE, words_for
from server.submissions import service as submissions
from server.submissions import store as submission_store
from server.submissions.lifecycle import State
from server.submissions.model import Submission
from server.submissions.multipart import store as uploads


def validate(tools: Tools, submission_id: UUID) -> None:
    """Check an archive, if it still waits; the runs of an accepted one are queued."""
    with transaction(tools.pool) as conn:
        token = store.claim_gate(
            conn, submission_id, owner=tools.owner, lease=tools.lease, max_attempts=tools.settings.max_attempts
        )
        submission = submission_store.get(conn, submission_id) if token is not None else None
    if token is None or submission is None:
        LOG.info("submission %s needs no check from us", submission_id)
        return
    check = _Check(tools, submission_id, token)
    try:
        with folders.private_folders(tools.settings.work_dir) as private:
            read = check.fetch(submission, private)
            if read is not None:
                check.judge(read, private)
    except StorageError:
        LOG.exception("the archive of %s cannot be had now", submission_id)
        check.give_back()


class _Check:
    """One check under one lease."""

    def __init__(self, tools: Tools, submission_id: UUID, token: int) -> None:
        self._tools = tools
        self._id = submission_id
        self._token = token

    def beat(self) -> bool:
        """Prolong the lease; False when it is lost."""
        with transaction(self._tools.pool) as conn:
            return store.beat_gate(conn, self._id, token=self._token, lease=self._tools.lease)

    def fetch(self, submission: Submission, private: folders.Folders) -> Submission | None:
        """Lay out the gate's input; the submission with the archive's sha256 as it was read, None when that ended it.

        What is read here for the first time is the archive from now on: `archive_sha256` is never taken from a client.
        """
        tools = self._tools
        with transaction(tools.pool) as conn:
            version = folders.version_of(conn, submission.benchmark_id, submission.benchmark_version)
        stored = folders.fill_for_gate(
            private.input,
            tools.storage,
            archive_key=submission.archive_key or "",
            version=version,
            each=tools.now_and_then(self.beat),
        )
        with transaction(tools.pool) as conn:
            known = store.note_archive(conn, self._id, token=self._token, stored=stored)
            declared = uploads.declared_sha256(conn, self._id)
        if known is None:
            return None
        if known != stored.sha256:
            raise StorageError("The stored archive is not the one that was received.")
        read = replace(submission, archive_sha256=stored.sha256, archive_bytes=stored.size)
        if declared not in {None, stored.sha256}:
            self._record(read, another_archive(stored, declared=declared or ""))
            return None
        return read

    def judge(self, submission: Submission, private: folders.Folders) -> None:
        """Have the archive checked, and act on what comes of it."""
        timeout = self._tools.settings.gate_timeout_seconds
        outcome = self._tools.launch(JobKind.GATE, private, silent(self.beat), timeout=timeout)
        if outcome.kind is not OutcomeKind.OK:
            self._ended_early(outcome)
            return
        try:
            verdict = self._verdict(submission, private.output)
        except UntrustworthyResultError as error:
            self._ended_early(Outcome(kind=OutcomeKind.DEFECT, exit_code=None, tail=str(error)))
            return
        self._record(submission, verdict)

    def _verdict(self, submission: Submission, output: Path) -> Verdict:
        return read_verdict(output / "verdict.json", archive_sha256=submission.archive_sha256 or "")

    def _record(self, submission: Submission, verdict: Verdict) -> None:
        runs: list[Run] = []
        with transaction(self._tools.pool) as conn:
            if not store.hold_gate(conn, self._id, token=self._token):
                LOG.warning("a late verdict on %s is refused", self._id)
                return
            reached = submissions.record_verdict(conn, submission, verdict)
            if reached is State.QUEUED:
                runs = attempts.add_runs(conn, self._id)
        if reached is State.REJECTED and submission.archive_key is not None:
            self._tools.storage.delete(submission.archive_key)
        for run in runs:
            self._tools.queue.score(run.id)

    def _ended_early(self, outcome: Outcome) -> None:
        LOG.error("the check of %s ended as %s: %s", self._id, outcome.kind, outcome.tail)
        if outcome.kind is OutcomeKind.CANCELLED:
            return
        if outcome.kind in RETRYABLE:
            self.give_back()
            return
        with transaction(self._tools.pool) as conn:
            if store.hold_gate(conn, self._id, token=self._token):
                submissions.fail(conn, self._id, **words_for(outcome.kind, GATE_WORDS)._asdict())

    def give_back(self) -> None:
        """Let the sweep hand the check to somebody after a while."""
        settings = self._tools.settings
        with transaction(self._tools.pool) as conn:
            tried = store.gate_attempts(conn, self._id)
            store.release_gate(
                conn, self._id, token=self._token, delay=delay(tried + 1, seed=str(self._id), settings=settings)
            )
