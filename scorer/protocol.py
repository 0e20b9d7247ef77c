"""The profile ``gsi-fair-1``, top to bottom: from a submission's pixels to a report.

For each sample: read the edited image; find the objects in it; ask the operation whether the edit was made (IC) and
how exactly (SA); compare everything outside the target's boxes with the original (the locality gate, EL); where the
edit was made, ask the judge whether the object still looks like itself (AC). Formulas: ``docs/protocol.md``.

What a participant sent never raises: it scores zero with a reason. What is ours raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from scorer import environment
from scorer.aggregate import aggregate, average
from scorer.bundle import ArchiveError, Bundle, open_bundle, sha256_of
from scorer.contract import Defect, ProgressLine, Quantity, Report, Result, SampleReport, SampleStatus
from scorer.detectors.port import EVERYTHING, Detection, Detector, Image
from scorer.errors import BenchmarkError, SubmissionError
from scorer.inputs import Inputs, Task
from scorer.judges.port import Judge, Judgement, Question, Subject
from scorer.measures import msssim
from scorer.measures.locality import Locality, locality, outside
from scorer.operations import move, remove, rotate, scale, view
from scorer.operations.evidence import Change, Compliance, Pose
from scorer.operations.matching import match_edited
from scorer.scenes import Scenes

PROFILE = "gsi-fair-1"
PERCEPTUAL = msssim.NAME

LEAST_SIMILARITY = 0.6
"""The locality gate: outside the boxes SSIM must exceed this"""
LARGEST_DISTANCE = 0.3
"""and the perceptual distance must stay below this."""
FULL_JUDGEMENT = 10.0

Progress = Callable[[ProgressLine], None]
Explanation = dict[str, dict[str, Quantity]]


def score(*, inputs: Inputs, detector: Detector, judge: Judge, progress: Progress = lambda line: None) -> Report:
    """Score one subset of one submission. The report depends on the inputs alone, but for its timings.

    Raises BenchmarkError where the run's own files do not fit together, SubmissionError for an archive that is no zip.
    """
    _require_names(inputs, detector=detector, judge=judge)
    total = len(inputs.tasks)
    began = time.perf_counter()
    with _opened(inputs) as bundle:
        scenes = Scenes(inputs=inputs, detector=detector)
        measured: list[Measured] = []
        for task in inputs.tasks:
            measured.append(measure(task, bundle=bundle, scenes=scenes))
            progress(ProgressLine(stage="measure", done=len(measured), total=total))
        judging = time.perf_counter()
        answers = judge.judge_all(_question(item, bundle, scenes) for item in measured if item.done)
        reports: list[SampleReport] = []
        for item in measured:
            reports.append(appraise(item, next(answers) if item.done else None))
            progress(ProgressLine(stage="judge", done=len(reports), total=total))
    scores = aggregate(reports)
    progress(ProgressLine(stage="aggregate", done=1, total=1))
    ended = time.perf_counter()
    return Report(
        manifest=inputs.manifest,
        versions={
            "protocol": PROFILE,
            "detector": detector.name,
            "judge": judge.name,
            "perceptual": PERCEPTUAL,
            **judge.provenance(),
            **environment.versions(),
        },
        weights={},
        archive_sha256=sha256_of(inputs.archive),
        results={
            PROFILE: Result(
                deviations=[],
                scores=scores,
                missing=[report.id for report in reports if report.status != "scored"],
                samples=reports,
            )
        },
        timings={"measure": judging - began, "judge": ended - judging, "total": ended - began},
    )


@dataclass(frozen=True)
class Measured:
    """A sample before the judge. ``subjects``: what the judge compares, the target first; empty unless ``done``."""

    task: Task
    status: SampleStatus
    reason: str
    done: bool = False
    accuracy: float = 0.0
    locality: float = 0.0
    subjects: Sequence[Subject] = ()
    explanation: Explanation = field(default_factory=dict)


def measure(task: Task, *, bundle: Bundle, scenes: Scenes) -> Measured:
    """IC, SA and EL of one sample."""
    picture = bundle.image(task.sample)
    if picture is None:
        return Measured(task, "missing", "the submission has no image for this sample")
    if isinstance(picture, Defect):
        return Measured(task, "unreadable", f"{picture.code}: {picture.message}")
    if task.sample.operation == "view":
        return _measure_view(task, picture.pixels, scenes)
    return _measure_object(task, picture.pixels, scenes)


def _measure_object(task: Task, edited: Image, scenes: Scenes) -> Measured:
    """Move, place, rotate, scale and remove."""
    sample, truth = task.sample, task.truth
    target, goal = _target_of(task), _goal_of(task)
    wanted = EVERYTHING if sample.operation == "remove" else truth.objects[target].label
    origins = scenes.origins(task)
    if sample.operation != "remove":
        origins = [origin for origin in origins if origin.label == wanted]
        target = sum(known.label == wanted for known in truth.objects[:target])
    found = scenes.detector.detect(image=edited, target=wanted, camera=task.camera)
    change = match_edited(origins, found, target=target, goal=goal)
    compliance = _comply(sample.operation, change, goal)
    explanation: Explanation = {"objects": _objects(change), "operation": dict(compliance.quantities)}
    if not compliance.done:
        return Measured(task, "scored", compliance.reason, explanation=explanation)
    boxes = [change.origin.found.bbox_2d] + ([] if change.result is None else [change.result.bbox_2d])
    comparison = msssim.compare(scenes.original(sample), edited)
    kept = outside(boxes, height=sample.height, width=sample.width)
    rest = locality(comparison, kept=kept)
    passed = rest.similarity > LEAST_SIMILARITY and rest.distance < LARGEST_DISTANCE
    explanation["locality"] = {**_locality(rest), "gate_passed": passed}
    if not passed:
        reason = f"{compliance.reason}, but the rest of the image is not the original's"
        return Measured(task, "scored", reason, explanation=explanation)
    return _done(task, compliance, rest, _subjects(change), explanation)


def _measure_view(task: Task, edited: Image, scenes: Scenes) -> Measured:
    truth = task.truth
    found = scenes.detector.detect(image=edited, target=EVERYTHING, camera=task.camera)
    seen = view.match(truth.new_objects, found)
    compliance = view.measure(seen, before=truth.objects, goals=truth.new_objects)
    explanation: Explanation = {"operation": dict(compliance.quantities)}
    if not compliance.done:
        return Measured(task, "scored", compliance.reason, explanation=explanation)
    everything = outside([], height=task.sample.height, width=task.sample.width)
    rest = locality(msssim.compare(scenes.inputs.ground_truth(task), edited), kept=everything)
    explanation["locality"] = _locality(rest)
    pairs = zip(scenes.origins(task), seen.found, strict=True)
    subjects = [Subject(origin.found, after) for origin, after in pairs if after is not None]
    return _done(task, compliance, rest, subjects, explanation)


def _comply(operation: str, change: Change, goal: Pose | None) -> Compliance:
    """Ask the operation."""
    if operation == "remove" or goal is None:
        return remove.measure(change)
    judge_by = {"move": move.measure, "place": move.measure, "rotate": rotate.measure, "scale": scale.measure}
    return judge_by[operation](change, goal=goal)


def _question(item: Measured, bundle: Bundle, scenes: Scenes) -> Question:
    sample = item.task.sample
    edited = bundle.image(sample)
    if edited is None or isinstance(edited, Defect):
        raise BenchmarkError(f"the archive changed while it was scored (sample {sample.id})")
    return Question(
        key=sample.id,
        original=scenes.original(sample),
        edited=edited.pixels,
        operation=sample.operation,
        instruction=sample.instruction,
        camera=item.task.camera,
        target=item.subjects[0] if item.subjects else None,
        others=item.subjects[1:],
    )


def appraise(item: Measured, judgement: Judgement | None) -> SampleReport:
    """AC of one sample, and its report. ``judgement``: None where the edit was not made and nobody was asked."""
    sample = item.task.sample
    appearance, explanation = 0.0, dict(item.explanation)
    if judgement is not None:
        appearance = 0.0 if judgement.score is None else judgement.score / FULL_JUDGEMENT
        explanation["appearance"] = {"score": judgement.score, "reason": judgement.reason}
    ic, sa, ac, el = (100 * value for value in (float(item.done), item.accuracy, appearance, item.locality))
    return SampleReport(
        id=sample.id,
        operation=sample.operation,
        difficulty=sample.difficulty,
        status=item.status,
        reason=item.reason,
        ic=ic,
        sa=sa,
        ac=ac,
        el=el,
        avg=average(ic=ic, sa=sa, ac=ac, el=el),
        explanation=explanation,
    )


def _done(
    task: Task, compliance: Compliance, rest: Locality, subjects: Sequence[Subject], explanation: Explanation
) -> Measured:
    return Measured(
        task,
        "scored",
        compliance.reason,
        done=True,
        accuracy=compliance.accuracy,
        locality=1 - rest.distance,
        subjects=subjects,
        explanation=explanation,
    )


def _subjects(change: Change) -> list[Subject]:
    pairs = [Subject(origin.found, after) for origin, after in zip(change.origins, change.after, strict=True)]
    return [pairs[change.target], *(pair for i, pair in enumerate(pairs) if i != change.target)]


def _target_of(task: Task) -> int:
    if task.truth.target_index is None:
        raise BenchmarkError(f"sample {task.sample.id}: the target is not named")
    return task.truth.target_index


def _goal_of(task: Task) -> Pose | None:
    """Where, how large and how turned the target should be; None for remove."""
    if task.sample.operation == "remove":
        return None
    before = Pose.of_truth(task.truth.objects[_target_of(task)])
    return before.changed(box=task.truth.new_bbox_3d, rotation=task.truth.new_rotation_matrix)


def _objects(change: Change) -> dict[str, Quantity]:
    origin, result = change.origin, change.result
    return {
        "origin_measured": origin.measured,
        "origin_box": _numbers(origin.found),
        "result_found": result is not None,
        "result_box": None if result is None else _numbers(result),
        "result_score": None if result is None else float(result.score),
        "extras": len(change.extras),
    }


def _numbers(found: Detection) -> list[float]:
    return [float(value) for value in found.bbox_3d]


def _locality(rest: Locality) -> dict[str, Quantity]:
    return {"similarity": rest.similarity, "distance": rest.distance, "kept": rest.kept}


def _require_names(inputs: Inputs, *, detector: Detector, judge: Judge) -> None:
    """The run must be scored with what it names, or its report would lie."""
    asked = (inputs.manifest.protocol, inputs.manifest.detector, inputs.manifest.judge)
    given = (PROFILE, detector.name, judge.name)
    if asked != given:
        raise BenchmarkError(f"the run asks for {', '.join(asked)}; this is {', '.join(given)}")


@contextmanager
def _opened(inputs: Inputs) -> Iterator[Bundle]:
    try:
        with open_bundle(archive=inputs.archive, manifest=inputs.benchmark) as bundle:
            yield bundle
    except ArchiveError as error:
        raise SubmissionError(error.defect.message, code=error.defect.code) from error
