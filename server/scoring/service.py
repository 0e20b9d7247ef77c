"""The worker's use-cases: check an archive, score a subset, sweep up what stands still.

Each opens its own short transactions: the work between claim and settlement takes minutes, and nothing of the database
is held meanwhile. What decides is always the fencing token in the row, never what a worker believes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from scorer.contract import ProgressLine, Verdict
from server.db.pool import transaction
from server.errors import StorageError
from server.jobs import JobQueue
from server.scoring import folders, store
from server.scoring.instruments import Needs, for_job, needs_of
from server.scoring.model import LockedSubmission, Run
from server.scoring.results import UntrustworthyResultError, another_archive, read_report, read_verdict, scores_of
from server.scoring.runner import Job, JobKind, Outcome, OutcomeKind, Runner
from server.scoring.words import GATE_WORDS, RETRYABLE, SCORE_WORDS, Words, words_for
from server.settings import Settings
from server.storage.port import Storage, put_file, report_key
from server.submissions import service as submissions
from server.submissions import store as submission_store
from server.submissions.lifecycle import State
from server.submissions.model import Submission
from server.submissions.multipart import store as uploads

_LOG = logging.getLogger("gsi.scoring")


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """The use-cases on one set of adapters; ``owner`` names this worker in leases."""

    settings: Settings
    pool: ConnectionPool
    storage: Storage
    queue: JobQueue
    runner: Runner
    owner: str

    @property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self.settings.lease_seconds)

    # --- the gate ---------------------------------------------------------------------------------------------------

    def validate(self, submission_id: UUID) -> None:
        """Check an archive, if it still waits; the runs of an accepted one are queued."""
        with transaction(self.pool) as conn:
            token = store.claim_gate(
                conn, submission_id, owner=self.owner, lease=self._lease, max_attempts=self.settings.max_attempts
            )
            submission = submission_store.get(conn, submission_id) if token is not None else None
        if token is None or submission is None:
            _LOG.info("submission %s needs no check from us", submission_id)
            return
        try:
            with folders.private_folders(self.settings.work_dir) as private:
                read = self._fetch_archive(submission, token, private)
                if read is not None:
                    outcome = self._run_gate(submission, token, private)
                    self._take_verdict(read, token, outcome, private.output)
        except StorageError:
            _LOG.exception("the archive of %s cannot be had now", submission_id)
            self._give_gate_back(submission_id, token)

    def _fetch_archive(self, submission: Submission, token: int, private: folders.Folders) -> Submission | None:
        """Lay out the gate's input; the submission with the archive's sha256 as it was read, None when that ended it.

        What is read here for the first time is the archive from now on: `archive_sha256` is never taken from a client.
        """
        with transaction(self.pool) as conn:
            version = folders.version_of(conn, submission.benchmark_id, submission.benchmark_version)
        stored = folders.fill_for_gate(
            private.input,
            self.storage,
            archive_key=submission.archive_key or "",
            version=version,
            each=self._now_and_then(lambda: self._beat_gate(submission.id, token)),
        )
        with transaction(self.pool) as conn:
            known = store.note_archive(conn, submission.id, token=token, stored=stored)
            declared = uploads.declared_sha256(conn, submission.id)
        if known is None:
            return None
        if known != stored.sha256:
            raise StorageError("The stored archive is not the one that was received.")
        read = replace(submission, archive_sha256=stored.sha256, archive_bytes=stored.size)
        if declared not in {None, stored.sha256}:
            self._record(read, token, another_archive(stored, declared=declared or ""))
            return None
        return read

    def _beat_gate(self, submission_id: UUID, token: int) -> bool:
        with transaction(self.pool) as conn:
            return store.beat_gate(conn, submission_id, token=token, lease=self._lease)

    def _run_gate(self, submission: Submission, token: int, private: folders.Folders) -> Outcome:
        def beat(_progress: ProgressLine | None) -> bool:
            return self._beat_gate(submission.id, token)

        return self._run(JobKind.GATE, private, self.settings.gate_timeout_seconds, beat)

    def _take_verdict(self, submission: Submission, token: int, outcome: Outcome, output: Path) -> None:
        if outcome.kind is not OutcomeKind.OK:
            self._gate_ended_early(submission.id, token, outcome)
            return
        try:
            verdict = read_verdict(output / "verdict.json", archive_sha256=submission.archive_sha256 or "")
        except UntrustworthyResultError as error:
            self._gate_ended_early(submission.id, token, _untrustworthy(error))
            return
        self._record(submission, token, verdict)

    def _record(self, submission: Submission, token: int, verdict: Verdict) -> None:
        runs: list[Run] = []
        with transaction(self.pool) as conn:
            if not store.hold_gate(conn, submission.id, token=token):
                _LOG.warning("a late verdict on %s is refused", submission.id)
                return
            reached = submissions.record_verdict(conn, submission, verdict)
            if reached is State.QUEUED:
                runs = self._add_runs(conn, submission.id)
        if reached is State.REJECTED and submission.archive_key is not None:
            self.storage.delete(submission.archive_key)
        for run in runs:
            self.queue.score(run.id)

    def _gate_ended_early(self, submission_id: UUID, token: int, outcome: Outcome) -> None:
        _LOG.error("the check of %s ended as %s: %s", submission_id, outcome.kind, outcome.tail)
        if outcome.kind is OutcomeKind.CANCELLED:
            return
        if outcome.kind in RETRYABLE:
            self._give_gate_back(submission_id, token)
            return
        with transaction(self.pool) as conn:
            if store.hold_gate(conn, submission_id, token=token):
                submissions.fail(conn, submission_id, **words_for(outcome.kind, GATE_WORDS)._asdict())

    def _give_gate_back(self, submission_id: UUID, token: int) -> None:
        with transaction(self.pool) as conn:
            store.release_gate(conn, submission_id, token=token)

    # --- the scores -------------------------------------------------------------------------------------------------

    def score(self, run_id: UUID) -> None:
        """Score one subset, if its run still waits, and settle the submission when it was the last one."""
        with transaction(self.pool) as conn:
            run = store.claim_run(conn, run_id, owner=self.owner, lease=self._lease)
            if run is not None:
                submission_store.move(conn, run.submission_id, State.SCORING)
        if run is None:
            _LOG.info("run %s needs no scoring from us", run_id)
            return
        try:
            with folders.private_folders(self.settings.work_dir) as private:
                samples = self._fill(run, private)
                outcome = self._run_score(run, private)
                self._take_report(run, outcome, private.output, samples)
        except StorageError as error:
            _LOG.exception("the files of run %s cannot be had now", run.id)
            self._run_ended_early(run, Outcome(kind=OutcomeKind.RETRY, exit_code=None, tail=error.detail))

    def _fill(self, run: Run, private: folders.Folders) -> int:
        """Lay out the scorer's input; how many samples it has to cover."""
        with transaction(self.pool) as conn:
            submission = _locked(conn, run.submission_id)
            version = folders.version_of(conn, submission.benchmark_id, run.benchmark_version)
        folders.fill_for_score(
            private.input,
            self.storage,
            run=run,
            submission=submission,
            version=version,
            work_dir=self.settings.work_dir,
            threads=self.settings.scorer_threads,
            instruments=for_job(self.settings.instruments, weights=self.settings.weights),
            each=self._now_and_then(lambda: self._beat_run(run, None)),
        )
        return sum(sample["subset"] == run.subset for sample in version.manifest["samples"])

    def _run_score(self, run: Run, private: folders.Folders) -> Outcome:
        def beat(progress: ProgressLine | None) -> bool:
            return self._beat_run(run, progress)

        return self._run(JobKind.SCORE, private, self.settings.score_timeout_seconds, beat)

    def _beat_run(self, run: Run, progress: ProgressLine | None) -> bool:
        with transaction(self.pool) as conn:
            return store.beat_run(conn, run, progress, lease=self._lease)

    def _take_report(self, run: Run, outcome: Outcome, output: Path, samples: int) -> None:
        if outcome.kind is not OutcomeKind.OK:
            self._run_ended_early(run, outcome)
            return
        try:
            report = read_report(output / "report.json", run=run, n=samples)
        except UntrustworthyResultError as error:
            self._run_ended_early(run, _untrustworthy(error))
            return
        key = report_key(run.id)
        stored = put_file(self.storage, key, output / "report.json")
        with transaction(self.pool) as conn:
            if not store.succeed_run(conn, run, total=samples, report_key=key, report_sha256=stored.sha256):
                _LOG.warning("a late result of run %s is refused", run.id)
                return
            store.add_scores(conn, run, scores_of(report))
            self._settle(conn, run.submission_id)

    def _run_ended_early(self, run: Run, outcome: Outcome) -> None:
        _LOG.error("run %s ended as %s: %s", run.id, outcome.kind, outcome.tail)
        state: Literal["lost", "failed"] = "lost" if outcome.kind is OutcomeKind.CANCELLED else "failed"
        words = words_for(outcome.kind, SCORE_WORDS)
        with transaction(self.pool) as conn:
            if not store.end_run(conn, run, state=state, code=str(outcome.kind), message=outcome.tail[-2000:]):
                return
            again = self._try_again(conn, run, words, retryable=outcome.kind in RETRYABLE)
        if again is not None:
            self.queue.score(again.id)

    def _try_again(self, conn: Connection, run: Run, words: Words, *, retryable: bool) -> Run | None:
        """Queue the next attempt, or fail the submission when none is left; None when there is none to queue."""
        submission = _locked(conn, run.submission_id)
        if submission.state not in {State.QUEUED, State.SCORING}:
            return None
        tried = store.attempts_of_subset(conn, run.submission_id, run.subset)
        if retryable and tried < self.settings.max_attempts:
            return store.add_run(conn, submission, run.subset)
        submissions.fail(conn, run.submission_id, **words._asdict())
        return None

    def _add_runs(self, conn: Connection, submission_id: UUID) -> list[Run]:
        """A run for every subset that has neither scores nor a run alive."""
        submission = _locked(conn, submission_id)
        subsets = store.unscored_subsets(conn, submission_id)
        return [run for subset in subsets if (run := store.add_run(conn, submission, subset)) is not None]

    def _settle(self, conn: Connection, submission_id: UUID) -> None:
        """Say `scored` when no subset is left; the lock lets the last of several runs see the others."""
        submission = _locked(conn, submission_id)
        if submission.state in {State.QUEUED, State.SCORING} and not store.unscored_subsets(conn, submission_id):
            submission_store.move(conn, submission_id, State.SCORING)
            submission_store.move(conn, submission_id, State.SCORED)

    # --- the sweep --------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Look at every state in which work is owed, and put back what nobody works on."""
        self._sweep_dead_runs()
        self._sweep_stuck()
        self._sweep_gates()
        with transaction(self.pool) as conn:
            submissions.publish_due(conn)
        with transaction(self.pool) as conn:
            runs = store.waiting_runs(conn, patience=self._patience)
        for run in runs:
            self.queue.score(run.id)

    @property
    def _patience(self) -> timedelta:
        return timedelta(seconds=self.settings.hint_seconds)

    def _sweep_dead_runs(self) -> None:
        again = []
        with transaction(self.pool) as conn:
            for run in store.dead_runs(conn):
                _LOG.warning("run %s was lost with its worker", run.id)
                if store.end_run(conn, run, state="lost", code="lost", message="no heartbeat in time"):
                    again.append(self._try_again(conn, run, SCORE_WORDS, retryable=True))
        for run in filter(None, again):
            self.queue.score(run.id)

    def _sweep_stuck(self) -> None:
        """Submissions that lack a run, or that are scored and were never told."""
        with transaction(self.pool) as conn:
            new = [
                r for s in store.runless_submissions(conn, patience=self._patience) for r in self._add_runs(conn, s.id)
            ]
            for stuck in store.settleable_submissions(conn, patience=self._patience):
                self._settle(conn, stuck.id)
        for run in new:
            self.queue.score(run.id)

    def _sweep_gates(self) -> None:
        with transaction(self.pool) as conn:
            waiting = store.waiting_gates(conn, patience=self._patience)
            for one in waiting:
                if one.attempt >= self.settings.max_attempts:
                    submissions.fail(conn, one.id, **GATE_WORDS._asdict())
        for one in waiting:
            if one.attempt < self.settings.max_attempts:
                self.queue.validate(one.id)

    # --- common -----------------------------------------------------------------------------------------------------

    def _now_and_then(self, beat: Callable[[], bool]) -> Callable[[], None]:
        """For work of many small steps that takes longer than a lease: a step that beats the heart when it is time.

        It raises StorageError once the lease is lost: gigabytes are not fetched for nothing.
        """
        last = time.monotonic()

        def step() -> None:
            nonlocal last
            if time.monotonic() - last > self.settings.lease_seconds / 3:
                last = time.monotonic()
                if not beat():
                    raise StorageError("The lease was lost while the archive was fetched.")

        return step

    @property
    def _secrets(self) -> dict[str, str]:
        """What a scorer must know and no file may hold."""
        key = self.settings.judge_api_key
        return {} if key is None else {"GSI_JUDGE_API_KEY": key.get_secret_value()}

    def _run(
        self, kind: JobKind, private: folders.Folders, timeout: float, beat: Callable[[ProgressLine | None], bool]
    ) -> Outcome:
        needs = Needs((), None)
        if kind is JobKind.SCORE:
            needs = needs_of(for_job(self.settings.instruments, weights=self.settings.weights))
        job = Job(
            kind=kind,
            input_dir=private.input,
            output_dir=private.output,
            timeout=timeout,
            memory_bytes=self.settings.scorer_memory_bytes,
            threads=self.settings.scorer_threads,
            environment={} if needs.endpoint is None else self._secrets,
            read_only=needs.read_only,
            endpoint=needs.endpoint,
        )
        return self.runner.run(job, beat)


def _locked(conn: Connection, submission_id: UUID) -> LockedSubmission:
    found = store.lock_submission(conn, submission_id)
    if found is None:
        raise LookupError(f"there is no submission {submission_id}")
    return found


def _untrustworthy(error: UntrustworthyResultError) -> Outcome:
    return Outcome(kind=OutcomeKind.DEFECT, exit_code=None, tail=str(error))
