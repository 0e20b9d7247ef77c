"""The first step of a run: every sample measured under every profile, from its pixels, in the manifest's order.

A sample that was measured is a value that can be kept (``scorer.chunks``). A judge that needs nothing but the pictures
answers here, where they are; for any other the question is noted, to be found again by its content.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from scorer import environment
from scorer.appraisal import recorded
from scorer.bundle import ArchiveError, Bundle, Picture, open_bundle, sha256_of
from scorer.chunks import Appearance, Chunk, ChunkSize, Judged, Made, MeasuredEdit, MeasuredSample, Pace, cut
from scorer.contract import Defect
from scorer.detectors.port import Detector, Image, Learned
from scorer.deviations import Deviation, Profile, profile_named
from scorer.errors import BenchmarkError, SubmissionError
from scorer.in_order import AHEAD
from scorer.inputs import Inputs, Task
from scorer.judges.cases import Case
from scorer.judges.port import Judge, Question
from scorer.judges.suspicion import distance_of, furthest
from scorer.measures.port import Perceptual
from scorer.originals import Originals
from scorer.sample import Measured, Sight, measure
from scorer.scenes import Scenes
from scorer.side_by_side import side_by_side

Fetched = Callable[[], Picture | Defect | None]
"""What decodes a sample's image (see :meth:`scorer.bundle.Bundle.fetch`)."""


@dataclass(frozen=True)
class Instruments:
    """What measures: networks are loaded once, for all samples and profiles.

    ``judge``: None where it answers elsewhere. ``originals``: what is kept of the originals beyond a run, made with
    ``perceptual``; None: nothing.
    """

    detector: Detector
    judge: Judge | None
    perceptual: Perceptual
    originals: Originals | None = None

    def __post_init__(self) -> None:
        if self.originals is not None and self.originals.network is not self.perceptual:
            raise ValueError("the originals were prepared for another perceptual distance")


@dataclass(frozen=True)
class Measuring:
    """One run on its way: its files, its instruments, and its archive while it is open."""

    inputs: Inputs
    instruments: Instruments
    profiles: Sequence[Profile]
    scenes: Scenes
    bundle: Bundle

    @cached_property
    def made(self) -> Made:
        """Everything that the numbers depend on. The archive is read whole for it, once."""
        inputs, detector, network = self.inputs, self.instruments.detector, self.instruments.perceptual
        versions = {"detector": detector.name, "perceptual": network.name, "judge": inputs.manifest.judge}
        weights = {} if network.sha256 is None else {network.name: network.sha256}
        if isinstance(detector, Learned):
            versions |= detector.provenance()
            weights |= detector.weights
        return Made(
            manifest=inputs.manifest,
            versions={**versions, **environment.versions()},
            weights=weights,
            archive_sha256=sha256_of(inputs.archive),
        )

    @contextmanager
    def samples(self, tasks: Iterable[Task]) -> Iterator[Iterator[MeasuredSample]]:
        """Those samples measured, side by side, in their order."""
        fetched = ((task, self.bundle.fetch(task.sample)) for task in tasks)
        with side_by_side(self._sample, fetched, workers=self.inputs.manifest.threads) as found:
            yield found

    def _sample(self, item: tuple[Task, Fetched]) -> MeasuredSample:
        """One sample under every profile, in one pass over its image. What a participant sent never raises."""
        task, decoded = item
        picture = decoded()
        if picture is None:
            edits = self._unmeasured(Measured(task, "missing", "the submission has no image for this sample"))
        elif isinstance(picture, Defect):
            edits = self._unmeasured(Measured(task, "unreadable", f"{picture.code}: {picture.message}"))
        else:
            sight = Sight(task, picture.pixels, self.scenes, self.inputs.kind)
            edits = {profile.name: self._edit(sight, profile) for profile in self.profiles}
        return MeasuredSample(id=task.sample.id, under=edits)

    def _unmeasured(self, why: Measured) -> dict[str, MeasuredEdit]:
        return {profile.name: recorded(why, None) for profile in self.profiles}

    def _edit(self, sight: Sight, profile: Profile) -> MeasuredEdit:
        item = measure(sight, profile)
        if not item.done:
            return recorded(item, None)
        question = Question(
            key=key_of(item.task, profile),
            original=self.scenes.original(item.task.sample),
            edited=sight.edited,
            operation=item.task.sample.operation,
            instruction=told(item.task, profile),
            camera=item.task.camera,
            target=item.subjects[0] if item.subjects else None,
            others=item.subjects[1:],
        )
        return recorded(item, self._appearance(question))

    def _appearance(self, question: Question) -> Appearance:
        """Our own look, and what the judge says, or by what its answer will be found."""
        seen = furthest(question)
        target = None if question.target is None else question.target.before.label
        # Rounding may put the distance a hair above 1.
        distance = None if seen is None else min(1.0, distance_of(*seen))
        judge = self.instruments.judge
        if judge is None or not judge.hermetic:
            return Appearance(target=target, distance=distance, content=Case.of(question).content)
        (said,) = judge.judge_all([question])
        score = said.score if said.score is not None and math.isfinite(said.score) else None
        return Appearance(target=target, distance=distance, judged=Judged(score=score, reason=said.reason))

    def cases(self, samples: Iterable[MeasuredSample]) -> Iterator[Case]:
        """What a judge has yet to answer: every edit that was made, once for each profile under which it was."""
        return (case for _, case in self._asked(samples))

    def questions(self, samples: Iterable[MeasuredSample]) -> Iterator[Question]:
        """The same for a judge in this process."""
        return (case.question(camera=task.camera) for task, case in self._asked(samples))

    def _asked(self, samples: Iterable[MeasuredSample]) -> Iterator[tuple[Task, Case]]:
        tasks = {task.sample.id: task for task in self.inputs.tasks}
        for sample in samples:
            asked = [profile for profile in self.profiles if is_question(sample.under[profile.name])]
            edited = self._edited(tasks[sample.id]) if asked else None
            for profile in asked:
                task = tasks[sample.id]
                yield task, self._case(task, profile, sample.under[profile.name], edited)

    def _case(self, task: Task, profile: Profile, edit: MeasuredEdit, edited: Image | None) -> Case:
        if edited is None or edit.appearance is None:
            raise BenchmarkError(f"the archive changed while it was scored (sample {task.sample.id})")
        return Case(
            key=key_of(task, profile),
            original=self.scenes.original(task.sample),
            edited=edited,
            operation=task.sample.operation,
            instruction=told(task, profile),
            target=edit.appearance.target,
        )

    def _edited(self, task: Task) -> Image | None:
        picture = self.bundle.image(task.sample)
        return picture.pixels if isinstance(picture, Picture) else None


def key_of(task: Task, profile: Profile) -> str:
    """What a question is called in journals."""
    return f"{task.sample.id}:{profile.name}"


def told(task: Task, profile: Profile) -> str | None:
    """The instruction, where the judge may know it."""
    return task.sample.instruction if Deviation.STRICT_APPEARANCE in profile else None


def is_question(edit: MeasuredEdit) -> bool:
    """Whether a judge has yet to answer."""
    return edit.appearance is not None and edit.appearance.judged is None


@contextmanager
def opened(inputs: Inputs, instruments: Instruments) -> Iterator[Measuring]:
    """A run that can be measured. Raises BenchmarkError (a profile is unknown), SubmissionError (it is no zip)."""
    profiles = [profile_named(name) for name in inputs.manifest.protocols]
    originals = instruments.originals or Originals(network=instruments.perceptual)
    scenes = Scenes(inputs=inputs, detector=instruments.detector, originals=originals)
    try:
        with open_bundle(archive=inputs.archive, manifest=inputs.benchmark) as bundle:
            yield Measuring(inputs, instruments, profiles, scenes, bundle)
    except ArchiveError as error:
        raise SubmissionError(error.defect.message, code=error.defect.code) from error


def in_chunks(run: Measuring, *, earlier: Sequence[Chunk], size: ChunkSize, pace: Pace) -> Iterator[Chunk]:
    """The samples that no earlier chunk of the same inputs holds, in chunks as they are measured."""
    made = run.made
    known = {sample.id for chunk in earlier if chunk.inputs == made.fingerprint for sample in chunk.samples}
    places = {task.sample.id: place for place, task in enumerate(run.inputs.tasks)}

    def tasks() -> Iterator[Task]:
        for task in run.inputs.tasks:
            if task.sample.id not in known:
                pace.begin()
                yield task

    with run.samples(tasks()) as samples:
        for piece, seconds in cut(samples, size):
            chunk = made.chunk(piece, first=places[piece[0].id], seconds=seconds)
            pace.wrote(chunk)
            yield chunk


def ahead(inputs: Inputs) -> int:
    """How many samples are taken before their results are asked for."""
    return AHEAD * inputs.manifest.threads
