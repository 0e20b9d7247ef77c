"""The protocol, top to bottom: from a submission's pixels to a report, under every profile that the run names.

For each sample: read the edited image; find the objects in it; ask the profile's rules whether the edit was made (IC)
and how exactly (SA); compare everything outside the target's boxes with the original (the locality gate, EL); where the
edit was made, ask the judge whether the object still looks like itself (AC). Formulas: ``docs/protocol.md``.

What a participant sent never raises: it scores zero with a reason. What is ours raises.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from scorer import environment
from scorer.aggregate import aggregate
from scorer.appraisal import Answer, appraised
from scorer.bundle import ArchiveError, Bundle, Picture, open_bundle, sha256_of
from scorer.contract import Defect, Kind, ProgressLine, Report, Result, SampleReport
from scorer.detectors.port import Detector, Learned
from scorer.deviations import Deviation, Profile, profile_named
from scorer.errors import BenchmarkError, SubmissionError
from scorer.inputs import Inputs, Task
from scorer.judges.port import Judge, Question
from scorer.judges.suspicion import suspicion
from scorer.measures.port import Perceptual
from scorer.originals import Originals
from scorer.sample import Measured, Sight, measure
from scorer.scenes import Scenes
from scorer.side_by_side import side_by_side

Progress = Callable[[ProgressLine], None]
Fetched = Callable[[], Picture | Defect | None]
"""What decodes a sample's image (see :meth:`scorer.bundle.Bundle.fetch`)."""


@dataclass(frozen=True)
class Instruments:
    """What measures: networks are loaded once, for all samples and profiles.

    ``originals``: what is kept of the originals beyond a run, made with ``perceptual``; None: nothing.
    """

    detector: Detector
    judge: Judge
    perceptual: Perceptual
    originals: Originals | None = None

    def __post_init__(self) -> None:
        if self.originals is not None and self.originals.network is not self.perceptual:
            raise ValueError("the originals were prepared for another perceptual distance")


def score(*, inputs: Inputs, instruments: Instruments, progress: Progress = lambda line: None) -> Report:
    """Score one subset of one submission. The report depends on the inputs alone, but for its timings.

    As many images as the manifest has threads are measured at a time.

    Raises BenchmarkError where the run's own files do not fit together, SubmissionError for an archive that is no zip.
    """
    _require_names(inputs, instruments)
    profiles = [profile_named(name) for name in inputs.manifest.protocols]
    total = len(inputs.tasks)
    began = time.perf_counter()
    with _opened(inputs) as bundle:
        originals = instruments.originals or Originals(network=instruments.perceptual)
        scenes = Scenes(inputs=inputs, detector=instruments.detector, originals=originals)
        measured = _measured(inputs, profiles, bundle, scenes, progress)
        judging = time.perf_counter()
        answers = _answers(instruments.judge, _questions(measured, profiles, bundle, scenes))
        reports: list[list[SampleReport]] = []
        for items in measured:
            pairs = zip(items, profiles, strict=True)
            reports.append([appraised(item, next(answers) if item.done else None, profile) for item, profile in pairs])
            progress(ProgressLine(stage="judge", done=len(reports), total=total))
    results = {profile.name: result_of([row[i] for row in reports], profile) for i, profile in enumerate(profiles)}
    progress(ProgressLine(stage="aggregate", done=1, total=1))
    ended = time.perf_counter()
    return Report(
        manifest=inputs.manifest,
        versions={
            "detector": instruments.detector.name,
            "judge": instruments.judge.name,
            "perceptual": instruments.perceptual.name,
            **_provenance(instruments.detector),
            **instruments.judge.provenance(),
            **environment.versions(),
        },
        weights=_weights(instruments),
        archive_sha256=sha256_of(inputs.archive),
        results=results,
        timings={"measure": judging - began, "judge": ended - judging, "total": ended - began},
    )


def questions(*, inputs: Inputs, detector: Detector, originals: Originals) -> Iterator[Question]:
    """What :func:`score` would ask the judge, in its order, for a judge that answers elsewhere.

    Raises as :func:`score` does.
    """
    profiles = [profile_named(name) for name in inputs.manifest.protocols]
    with _opened(inputs) as bundle:
        scenes = Scenes(inputs=inputs, detector=detector, originals=originals)
        measured = _measured(inputs, profiles, bundle, scenes, progress=lambda line: None)
        yield from _questions(measured, profiles, bundle, scenes)


def _measured(
    inputs: Inputs, profiles: list[Profile], bundle: Bundle, scenes: Scenes, progress: Progress
) -> list[list[Measured]]:
    """Every sample under every profile, side by side, in the order of the manifest."""
    measured: list[list[Measured]] = []
    fetched = ((task, bundle.fetch(task.sample)) for task in inputs.tasks)
    work = partial(_measure, profiles=profiles, scenes=scenes, kind=inputs.kind)
    with side_by_side(work, fetched, workers=inputs.manifest.threads) as found:
        for items in found:
            measured.append(items)
            progress(ProgressLine(stage="measure", done=len(measured), total=len(inputs.tasks)))
    return measured


def _measure(item: tuple[Task, Fetched], *, profiles: list[Profile], scenes: Scenes, kind: Kind) -> list[Measured]:
    """IC, SA and EL of one sample under every profile, in one pass over its image."""
    task, decoded = item
    picture = decoded()
    if picture is None:
        return [Measured(task, "missing", "the submission has no image for this sample")] * len(profiles)
    if isinstance(picture, Defect):
        return [Measured(task, "unreadable", f"{picture.code}: {picture.message}")] * len(profiles)
    sight = Sight(task, picture.pixels, scenes, kind)
    return [measure(sight, profile) for profile in profiles]


def _questions(
    measured: Iterable[list[Measured]], profiles: list[Profile], bundle: Bundle, scenes: Scenes
) -> Iterator[Question]:
    """What the judge is asked: every edit that was made, once for each profile under which it was."""
    for items in measured:
        for item, profile in zip(items, profiles, strict=True):
            if item.done:
                yield _question(item, profile, bundle, scenes)


def _question(item: Measured, profile: Profile, bundle: Bundle, scenes: Scenes) -> Question:
    sample = item.task.sample
    edited = bundle.image(sample)
    if edited is None or isinstance(edited, Defect):
        raise BenchmarkError(f"the archive changed while it was scored (sample {sample.id})")
    return Question(
        key=f"{sample.id}:{profile.name}",
        original=scenes.original(sample),
        edited=edited.pixels,
        operation=sample.operation,
        instruction=sample.instruction if Deviation.STRICT_APPEARANCE in profile else None,
        camera=item.task.camera,
        target=item.subjects[0] if item.subjects else None,
        others=item.subjects[1:],
    )


def _answers(judge: Judge, questions: Iterable[Question]) -> Iterator[Answer]:
    """The answers in the order of the questions; a question is kept only until its answer is there."""
    waiting: deque[Question] = deque()

    def noted() -> Iterator[Question]:
        for question in questions:
            waiting.append(question)
            yield question

    for judgement in judge.judge_all(noted()):
        yield Answer(judgement, suspicion(waiting.popleft(), judgement))


def result_of(samples: list[SampleReport], profile: Profile) -> Result:
    """What a profile makes of all samples of a subset."""
    return Result(
        deviations=profile.listed,
        scores=aggregate(samples, count_missing=Deviation.COUNT_MISSING in profile),
        missing=[sample.id for sample in samples if sample.status != "scored"],
        samples=samples,
    )


def _provenance(detector: Detector) -> dict[str, str]:
    return detector.provenance() if isinstance(detector, Learned) else {}


def _weights(instruments: Instruments) -> dict[str, str]:
    detector, perceptual = instruments.detector, instruments.perceptual
    found = {} if perceptual.sha256 is None else {perceptual.name: perceptual.sha256}
    return found | (dict(detector.weights) if isinstance(detector, Learned) else {})


def _require_names(inputs: Inputs, instruments: Instruments) -> None:
    """The run must be scored with what it names, or its report would lie."""
    asked = (inputs.manifest.detector, inputs.manifest.judge, inputs.manifest.perceptual)
    given = (instruments.detector.name, instruments.judge.name, instruments.perceptual.name)
    if asked != given:
        raise BenchmarkError(f"the run asks for {', '.join(asked)}; this is {', '.join(given)}")


@contextmanager
def _opened(inputs: Inputs) -> Iterator[Bundle]:
    try:
        with open_bundle(archive=inputs.archive, manifest=inputs.benchmark) as bundle:
            yield bundle
    except ArchiveError as error:
        raise SubmissionError(error.defect.message, code=error.defect.code) from error
