"""One sample under one profile: IC, SA and EL from its pixels; AC waits for the judge.

What several profiles need (detections, shares of the original) is made once, by a :class:`Sight` of the sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from scorer import comparing, rules
from scorer.comparing import Preparation, Rest
from scorer.contract import Quantity, SampleStatus
from scorer.detectors.port import EVERYTHING, Detection, Image
from scorer.deviations import Deviation, Profile
from scorer.errors import BenchmarkError
from scorer.inputs import Task
from scorer.judges.port import Subject
from scorer.official import locality as official
from scorer.official.aborts import OfficialAbortError
from scorer.official.imaging import Frame, UnmeasurableError
from scorer.official.viewpoint import compare_viewpoints
from scorer.operations import view
from scorer.operations.matching import finite, is_called
from scorer.operations.parsing import parse_operation
from scorer.rules import Case, Edit
from scorer.scenes import Scenes

KNOWN = ("move", "rotate", "scale", "remove", "view")
LEAST_COMPLIANCE = 0.5

Explanation = Mapping[str, dict[str, Quantity]]


@dataclass(frozen=True)
class Measured:
    """A sample before the judge. ``compliance``, ``accuracy``, ``locality``: IC, SA, EL, 0..1 but for what the official
    formulas let through. ``subjects``: what the judge compares, the target first.
    """

    task: Task
    status: SampleStatus
    reason: str
    compliance: float = 0.0
    accuracy: float = 0.0
    locality: float = 0.0
    subjects: Sequence[Subject] = ()
    explanation: Explanation = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the edit was made, so that the judge is asked."""
        return self.compliance > 0


@dataclass(frozen=True)
class Sight:
    """One edited image and what is seen in it. ``kind``: of the subset."""

    task: Task
    edited: Image
    scenes: Scenes
    kind: official.Kind
    _found: dict[str, list[Detection]] = field(default_factory=dict)

    def found(self, target: str) -> list[Detection]:
        """Detections on the edited image."""
        if target not in self._found:
            self._found[target] = self.scenes.detector.detect(image=self.edited, target=target, camera=self.task.camera)
        return self._found[target]

    @property
    def everything(self) -> list[Detection]:
        """All objects where the detector sees all, else those of the target's name."""
        return self.found(EVERYTHING if self.scenes.detector.sees_everything else self.task.truth.target)

    @property
    def case(self) -> Case:
        """The edit as the rules see it. Raises BenchmarkError for a sample without a target."""
        task, scenes = self.task, self.scenes
        if task.truth.target_index is None:
            raise BenchmarkError(f"sample {task.sample.id}: the target is not named")
        target, origins = task.truth.target_index, scenes.origins(task)
        label = origins[target].label
        removal = task.sample.operation == "remove"
        after = [one for one in self.everything if is_called(one, label)] if removal else self.found(label)
        if not removal:
            target = sum(origin.label == label for origin in origins[:target])
            origins = [origin for origin in origins if origin.label == label]
        return Case(
            operation="move" if task.sample.operation == "place" else task.sample.operation,
            truth=task.truth,
            origins=origins,
            target=target,
            before=scenes.named(task, label),
            after=after,
            found=self.everything if removal else after,
            frame=Frame.of(task.sample.height, task.sample.width),
            intrinsics=scenes.to_frame(task),
        )


def measure(sight: Sight, profile: Profile) -> Measured:
    """IC, SA and EL of one sample under a profile. What a participant sent never raises."""
    try:
        operation = _operation(sight.task, profile)
        if operation == "view":
            found = _view(sight, profile) if Deviation.VIEW_PROGRESS in profile else _official_view(sight, profile)
        else:
            found = _object(sight, operation, profile)
    except (OfficialAbortError, UnmeasurableError) as error:
        status: SampleStatus = "scored" if Deviation.NO_ABORT in profile else "aborted"
        return Measured(sight.task, status, f"the official evaluation ends here: {error}")
    return _settled(found, profile)


def _settled(found: Measured, profile: Profile) -> Measured:
    """What holds for every operation, last: IC is a rate, and SA counts only where IC does."""
    if Deviation.HALF_COMPLIANCE in profile:
        found = replace(found, compliance=float(found.compliance >= LEAST_COMPLIANCE))
    if Deviation.GATED_ACCURACY in profile and not found.done:
        found = replace(found, accuracy=0.0)
    return found


def _operation(task: Task, profile: Profile) -> str:
    if Deviation.STATED_OPERATION in profile:
        return "move" if task.sample.operation == "place" else task.sample.operation
    try:
        read = parse_operation(task.truth.prompt)
    except ValueError as error:
        raise OfficialAbortError("IndexError", "the instruction has no word") from error
    if read not in KNOWN:
        raise OfficialAbortError("NotImplementedError", f"the instruction begins with no known verb: {read[:40]!r}")
    return read


def _object(sight: Sight, operation: str, profile: Profile) -> Measured:
    """Move, place, rotate, scale and remove."""
    case = replace(sight.case, operation=operation)
    if Deviation.FINITE in profile:
        case = replace(case, before=finite(case.before), after=finite(case.after), found=finite(case.found))
    edit = rules.judge(case, profile)
    explanation = {"objects": _objects(edit), "operation": dict(edit.quantities)}
    if edit.choice is not None:
        explanation["candidates"] = _candidates(edit)
    measured = Measured(sight.task, "scored", edit.reason, edit.compliance, edit.accuracy, explanation=explanation)
    if edit.compliance <= 0 and edit.accuracy <= 0 and Deviation.NO_ABORT in profile:
        return measured  # the gates can only take away; the official program may still end in them
    rest = _rest(sight, case, edit, profile)
    passed = official.passes_gate(ssim=rest.similarity, lpips=rest.distance, kind=sight.kind)
    explanation["locality"] = {**rest._asdict(), "gate_passed": passed}
    if not passed:
        reason = f"{edit.reason}, but the rest of the image is not the original's"
        return replace(measured, compliance=0.0, accuracy=0.0, reason=reason)
    if operation == "rotate" and Deviation.VIEWPOINT not in profile:
        seen = compare_viewpoints(sight.scenes.sift(sight.task.sample), sight.edited)
        explanation["viewpoint"] = seen._asdict()
        if not seen.same:
            return replace(measured, compliance=0.0, accuracy=0.0, reason=f"{edit.reason}, but the camera moved")
    return replace(measured, locality=1 - rest.distance, subjects=_subjects(edit))


def _rest(sight: Sight, case: Case, edit: Edit, profile: Profile) -> Rest:
    """What became of the image outside the target's boxes."""
    scenes, preparation = sight.scenes, Preparation.of(profile)
    original = scenes.share(sight.task.sample, preparation)
    height, width = original.image.shape[1:]
    kept = comparing.kept_outside(case, edit, profile=profile, size=(height, width))
    return comparing.compare(original, sight.edited, kept=kept, profile=profile, network=scenes.network)


def _view(sight: Sight, profile: Profile) -> Measured:
    """By where the objects appear, where the scene is known and all of it is seen; else by the picture alone."""
    task, scenes = sight.task, sight.scenes
    if task.truth.gt_image is None:
        return Measured(task, "scored", "there is no true view")
    truth = scenes.true_share(task, Preparation.of(profile))
    seen = view.match(task.truth.new_objects, finite(sight.everything), before=task.truth.objects)
    if task.truth.new_objects and scenes.detector.sees_everything:
        answer = view.measure(seen, before=task.truth.objects, goals=task.truth.new_objects)
    else:
        answer = view.measure_picture(
            edited=_whole(truth, sight.edited, profile, scenes).distance,
            original=_whole(truth, scenes.original(task.sample), profile, scenes).distance,
        )
    explanation = {"operation": dict(answer.quantities)}
    measured = Measured(task, "scored", answer.reason, float(answer.done), answer.accuracy, explanation=explanation)
    if not answer.done:
        return measured
    rest = _whole(truth, sight.edited, profile, scenes)
    explanation["locality"] = rest._asdict()
    return replace(measured, locality=1 - rest.distance, subjects=_company(sight))


def _official_view(sight: Sight, profile: Profile) -> Measured:
    """IC and SA are the likeness to the true view; EL compares with the original; there is no gate."""
    task, scenes = sight.task, sight.scenes
    if task.truth.gt_image is None:
        return Measured(task, "scored", "there is no true view")
    likeness = official.view_similarity(scenes.true_view(task), sight.edited, network=scenes.network)
    explanation: dict[str, dict[str, Quantity]] = {"operation": {"likeness": likeness}}
    measured = Measured(task, "scored", "measured by likeness", likeness, likeness, explanation=explanation)
    if not likeness > 0:
        return measured
    if task.truth.original_bbox_3d is None:
        rest = _whole(scenes.share(task.sample, Preparation.of(profile)), sight.edited, profile, scenes)
    else:
        case = sight.case
        edit = Edit(likeness, likeness, "a view", rules.assigned(replace(case, operation="view")))
        rest = _rest(sight, case, edit, profile)
    explanation["locality"] = rest._asdict()
    return replace(measured, locality=1 - rest.distance, subjects=_company(sight))


def _whole(original: official.Share, edited: Image, profile: Profile, scenes: Scenes) -> Rest:
    """The whole image compared."""
    height, width = original.image.shape[1:]
    kept = comparing.everything((height, width))
    return comparing.compare(original, edited, kept=kept, profile=profile, network=scenes.network)


def _company(sight: Sight) -> list[Subject]:
    """Every object of a view that is seen before and after."""
    origins = sight.scenes.origins(sight.task)
    truth = sight.task.truth
    seen = view.match(truth.new_objects, finite(sight.everything), before=truth.objects)
    pairs = zip(origins, seen.found, strict=False)  # origins that the truth does not know stand last
    return [Subject(origin.found, after) for origin, after in pairs if after is not None]


def _subjects(edit: Edit) -> list[Subject]:
    change = edit.change
    pairs = [Subject(origin.found, after) for origin, after in zip(change.origins, change.after, strict=True)]
    return [pairs[change.target], *(pair for i, pair in enumerate(pairs) if i != change.target)]


def _objects(edit: Edit) -> dict[str, Quantity]:
    origin, result = edit.change.origin, edit.change.result
    return {
        "origin_measured": origin.measured,
        "origin_box": _numbers(origin.found),
        "result_found": result is not None,
        "result_box": None if result is None else _numbers(result),
        "result_score": None if result is None else float(result.score),
        "extras": len(edit.change.extras),
    }


def _candidates(edit: Edit) -> dict[str, Quantity]:
    """Of each detection why it was or was not taken."""
    verdicts = () if edit.choice is None else edit.choice.verdicts
    return {
        f"{i}{'' if name == 'why' else '_' + name}": value
        for i, verdict in enumerate(verdicts)
        for name, value in vars(verdict).items()
    }


def _numbers(found: Detection) -> list[float]:
    return [float(value) for value in found.bbox_3d]
