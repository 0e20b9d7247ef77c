"""The steps of one run, each a job of its own: originals, measure, judge, aggregate.

No job sees more than its step needs: the one that decodes participants' pictures has no network and writes nothing that
another run reads; the judge's sees re-encoded pictures and its endpoint, no ground truth; the last sees no picture.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorer import chunks
from scorer.contract import ProgressLine, RunManifest
from server.benchmarks.model import Version
from server.scoring import folders, outputs
from server.scoring.committing import JOURNAL, Keeper, Lines, Samples
from server.scoring.folders import Folders
from server.scoring.heart import PASSING, Heart, LeaseLostError
from server.scoring.instruments import Installation
from server.scoring.kept import KeptFolder
from server.scoring.model import LockedSubmission, Run
from server.scoring.results import UntrustworthyResultError, read_measured
from server.scoring.runner import OUTPUT_BYTES, JobKind, Outcome, OutcomeKind
from server.scoring.tools import LOG, Tools
from server.scoring.words import RETRYABLE

_PNG_HEAD_BYTES = 64 * 1024
"""More than a PNG of noise has beyond its pixels."""


class StepEndedError(Exception):
    """A step did not come to its end."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.tail)
        self.outcome = outcome


@dataclass(frozen=True)
class Steps:
    """One run under its lease, and all that its steps need."""

    tools: Tools
    run: Run
    submission: LockedSubmission
    version: Version
    installation: Installation
    heart: Heart

    @property
    def manifest(self) -> RunManifest:
        """What the run is."""
        return folders.manifest_of(self.run, self.version, threads=self.tools.settings.scorer_threads)

    @property
    def samples(self) -> list[str]:
        """The ids of the subset's samples."""
        return [one["id"] for one in self._listed]

    @property
    def _listed(self) -> list[dict[str, Any]]:
        return [one for one in self.version.manifest["samples"] if one["subset"] == self.run.subset]

    @property
    def _questions_bytes(self) -> int:
        """What the questions of a language judge can be at most: an original and an edited picture for each sample."""
        if self.installation.judge is None:
            return 0
        return sum(2 * (3 * one["width"] * one["height"] + _PNG_HEAD_BYTES) for one in self._listed)

    @contextmanager
    def report(self) -> Iterator[Path]:
        """The folder with the run's report, made by all steps that it needs, after what is committed already.

        Raises StepEndedError, LeaseLostError, UntrustworthyResultError, and what may pass (`heart.PASSING`).
        """
        with self._folders() as measuring, self._folders() as ending:
            folders.fill(ending.input, manifest=self.manifest, version=self.version)
            measured = self._measure(measuring)
            self._judge(measuring.output, ending.input)
            (measuring.input / chunks.FOLDER).rename(ending.input / chunks.FOLDER)
            LOG.info("run %s: %d samples measured", self.run.id, measured)
            self._launch(JobKind.AGGREGATE, ending)
            yield ending.output

    @contextmanager
    def _folders(self) -> Iterator[Folders]:
        with folders.private_folders(self.tools.settings.work_dir) as private:
            yield private

    # --- measure ----------------------------------------------------------------------------------------------------

    def _measure(self, private: Folders) -> int:
        """Measure what no attempt has committed yet; how many samples there are."""
        settings = self.tools.settings
        self._fill_with_scenes(private.input)
        folders.fill_with_archive(
            private.input, self.tools.storage, self.submission, each=self.tools.now_and_then(self.heart.beat)
        )
        size = chunks.ChunkSize(samples=settings.chunk_samples, seconds=settings.chunk_seconds, awaited=True)
        (private.input / chunks.SIZE_FILE).write_text(size.model_dump_json())
        samples = Samples(
            Keeper(self.tools, self.run, self.heart, "measure"),
            manifest=self.manifest,
            archive_sha256=self.submission.archive_sha256 or "",
            samples=self.samples,
            folder=private.input / chunks.FOLDER,
        )
        samples.lay_out()
        commit = self._committing(lambda: samples.commit(private.output), lambda _: samples.progress)
        most = OUTPUT_BYTES + self._questions_bytes

        def commit_the_rest() -> None:
            self.heart.insist(lambda: samples.commit(private.output) and self.heart.beat(samples.progress))

        try:
            self._launch(JobKind.MEASURE, private, beat=commit, output_bytes=most)
        except StepEndedError as ended:
            if ended.outcome.kind in RETRYABLE:  # what it had measured by then, the next attempt need not measure again
                try:
                    commit_the_rest()
                except UntrustworthyResultError as error:
                    LOG.warning("run %s: what its ended job left is not kept: %s", self.run.id, error)
            raise
        commit_the_rest()
        found = read_measured(private.output / "measured.json", n=len(self.samples))
        samples.complete(inputs=found.inputs)
        return found.n

    def _fill_with_scenes(self, folder: Path) -> None:
        """The run's originals and truth; and what the originals decide, made before a submission is in sight."""
        kept = self.installation.kept(self.manifest)
        if kept is not None and not kept.is_complete():
            self._prepare(kept)
        self._scenes(folder, kept)

    def _scenes(self, folder: Path, kept: KeptFolder | None) -> None:
        folders.fill_with_scenes(
            folder,
            self.tools.storage,
            manifest=self.manifest,
            version=self.version,
            work_dir=self.tools.settings.work_dir,
        )
        content = self.installation.measuring
        if kept is not None:
            kept.lend(folder / "kept")
            if isinstance(content, dict):
                content = {**content, "originals": {"folder": "kept", "read_only": True}}
        (folder / "instruments.json").write_text(json.dumps(content))

    def _prepare(self, kept: KeptFolder) -> None:
        with self._folders() as private:
            self._scenes(private.input, kept)
            self._launch(JobKind.ORIGINALS, private, output_bytes=kept.most_bytes)
            kept.take(private.output)

    # --- judge ------------------------------------------------------------------------------------------------------

    def _judge(self, measured: Path, target: Path) -> None:
        """Have the questions answered that the measuring left, if it left any; the journal goes to ``target``."""
        if "questions" not in outputs.names(measured, "."):
            return
        judge = self.installation.judge
        if judge is None:
            raise _defect(f"the run asks for {self.manifest.judge}, but GSI_INSTRUMENTS names no judge")
        if judge.get("adapter") == "recorded":
            _copied(Path(str(judge.get("journal"))), target / JOURNAL)
            return
        with self._folders() as private:
            _taken(measured, "questions", private.input / "questions")
            self._ask(judge, private)
            for name in (JOURNAL, "judge.json"):
                _taken(private.output, name, target / name)

    def _ask(self, judge: dict[str, Any], private: Folders) -> None:
        settings, needs = self.tools.settings, self.installation.judge_needs
        (private.input / "settings.json").write_text(json.dumps(judge))
        lines = Lines(
            Keeper(self.tools, self.run, self.heart, "judge"),
            judge=judge,
            most=max(1, settings.chunk_samples // 2),
            seconds=settings.chunk_seconds / 2,
        )
        lines.lay_out(private.input)
        beat = self._committing(lambda: lines.commit(private.output), lambda progress: progress)
        key = settings.judge_api_key
        try:
            self._launch(
                JobKind.JUDGE,
                private,
                beat=beat,
                read_only=needs.read_only,
                endpoint=needs.endpoint,
                gpu=needs.gpu,
                environment={} if key is None else {"GSI_JUDGE_API_KEY": key.get_secret_value()},
            )
        finally:
            # Also of a judge that gave up: what it has answered need not be asked again.
            self.heart.insist(lambda: lines.commit(private.output, all_of_them=True))

    # --- all --------------------------------------------------------------------------------------------------------

    def _committing(
        self, commit: Callable[[], bool], progress: Callable[[ProgressLine | None], ProgressLine | None]
    ) -> Callable[[ProgressLine | None], bool]:
        """A beat that commits what there is; what does not answer now is tried at the next beat."""

        def beat(told: ProgressLine | None) -> bool:
            try:
                if not commit():
                    return False
            except PASSING as error:
                LOG.warning("run %s: a chunk cannot be committed now (%s)", self.run.id, type(error).__name__)
            return self.heart.beat(progress(told))

        return beat

    def _launch(
        self,
        kind: JobKind,
        private: Folders,
        *,
        beat: Callable[[ProgressLine | None], bool] | None = None,
        output_bytes: int = OUTPUT_BYTES,
        **access: Any,
    ) -> None:
        """Run a step to its end. Raises StepEndedError, LeaseLostError."""
        if kind in (JobKind.MEASURE, JobKind.ORIGINALS):
            access |= {"read_only": self.installation.weights, "gpu": self.installation.measures_on_gpu}
        outcome = self.tools.launch(
            kind,
            private,
            beat or self.heart.beat,
            timeout=self.tools.settings.score_timeout_seconds,
            output_bytes=output_bytes,
            **access,
        )
        if outcome.kind is OutcomeKind.CANCELLED:
            raise LeaseLostError
        if outcome.kind is not OutcomeKind.OK:
            raise StepEndedError(outcome)


def _copied(journal: Path, target: Path) -> None:
    """The operator's own file; a link would let the job's rights reach it."""
    try:
        shutil.copyfile(journal, target)
    except OSError as error:
        raise _defect(f"GSI_INSTRUMENTS: the judge's journal {journal.name} cannot be read") from error


def _taken(folder: Path, name: str, target: Path) -> None:
    try:
        outputs.take(folder, name, target)
    except outputs.OutputError as error:
        raise UntrustworthyResultError(str(error)) from error


def _defect(why: str) -> StepEndedError:
    return StepEndedError(Outcome(kind=OutcomeKind.DEFECT, exit_code=None, tail=why))
