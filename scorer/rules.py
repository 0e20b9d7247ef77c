"""IC and SA of one edit of an object under a profile: which detection is the target, and what became of it.

The steps are the official ones; a deviation of the profile replaces a step by ours. Without deviations the result is
that of the official evaluation, with all of them that of docs/protocol.md, profile gsi-fair-1. No image is needed here:
the rules work on boxes, so that a simulation can ask them a million times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from scorer.contract import Quantity, TruthSample
from scorer.detectors.port import Detection
from scorer.deviations import Deviation, Profile
from scorer.errors import BenchmarkError
from scorer.geometry import SAME_BOX_THRESHOLD, FloatArray, centre_distance, projected_box
from scorer.official import move as official_move
from scorer.official import remove as official_remove
from scorer.official import rotate as official_rotate
from scorer.official import scale as official_scale
from scorer.official.aborts import OfficialAbortError
from scorer.official.candidates import Choice, choose, origin_index
from scorer.official.imaging import Frame
from scorer.official.truth import Detection as Record
from scorer.operations import move, remove, rotate, scale
from scorer.operations.evidence import Change, Compliance, Origin, Pose
from scorer.operations.matching import finite, match_edited

_SAME_BOX = {"move": SAME_BOX_THRESHOLD, "rotate": official_rotate.SAME_BOX, "scale": official_scale.SAME_BOX}


@dataclass(frozen=True, eq=False)
class Case:
    """What is known of one edit. Detections carry rectangles in the image's pixels.

    ``operation``: move (place is one), rotate, scale or remove. ``origins``: the objects of the original that the
    assignment may use, ``target`` among them. ``before``, ``after``: what answers to the target's name, in the
    detector's order. ``found``: the detections that the assignment may use: ``after``, or for remove all where the
    detector sees all. ``frame``: of the image. ``intrinsics``: (3, 3), to pixels of that frame.
    """

    operation: str
    truth: TruthSample
    origins: Sequence[Origin]
    target: int
    before: Sequence[Detection]
    after: Sequence[Detection]
    found: Sequence[Detection]
    frame: Frame
    intrinsics: FloatArray

    @property
    def original(self) -> Pose:
        """The target's true pose in the original. Raises BenchmarkError where the truth has none."""
        if self.truth.original_bbox_3d is None or self.truth.rotation_matrix is None:
            raise BenchmarkError("the truth has no original box")
        return Pose(np.array(self.truth.original_bbox_3d), np.array(self.truth.rotation_matrix))

    @property
    def goal(self) -> Pose | None:
        """Where, how large and how turned the target should be, of what the operation changes; None for remove, view.

        Raises OfficialAbortError where the truth does not state it.
        """
        if self.operation in ("remove", "view"):
            return None
        turns = self.operation == "rotate"
        stated = self.truth.new_rotation_matrix if turns else self.truth.new_bbox_3d
        if stated is None:
            field_name = "new_rotation_matrix" if turns else "new_bbox_3d"
            raise OfficialAbortError("KeyError", f"the truth has no {field_name}")
        return self.original.changed(
            box=None if turns else self.truth.new_bbox_3d,
            rotation=None if self.operation == "scale" else self.truth.new_rotation_matrix,
        )


@dataclass(frozen=True, eq=False)
class Edit:
    """What the rules say. ``compliance`` and ``accuracy``: IC and SA, 0..1; ``reason``: a sentence.

    ``change``: which object is which; its result is the chosen candidate. ``choice``: of each detection in ``after``
    why it was not taken.
    """

    compliance: float
    accuracy: float
    reason: str
    change: Change
    choice: Choice | None = None
    quantities: dict[str, Quantity] = field(default_factory=dict)


def judge(case: Case, profile: Profile) -> Edit:
    """IC and SA of one edit, before any locality gate."""
    change = assigned(case)
    start = _start(case, change, profile)
    if start is None:
        return Edit(0.0, 0.0, "the target was not found in the original image", change)
    if case.operation == "remove":
        return _gated(_removed(case, change, start, profile), profile)
    choice = _choice(case, change, start, profile)
    chosen = None if choice.index is None else case.after[choice.index]
    change = _with_result(change, chosen)
    if not case.after:
        return Edit(0.0, 0.0, "the target was not found in the edited image", change, choice)
    edit = {"move": _moved, "rotate": _rotated, "scale": _scaled}[case.operation](case, change, profile)
    return _gated(replace(edit, choice=choice), profile)


def assigned(case: Case) -> Change:
    """Which object is which. A detection that is not finite has no place, so none is assigned to it."""
    return match_edited(case.origins, finite(case.found), target=case.target, goal=case.goal)


def _gated(edit: Edit, profile: Profile) -> Edit:
    """SA counts only where IC does, unless the profile is of the official mind."""
    if Deviation.GATED_ACCURACY in profile and edit.compliance <= 0:
        return replace(edit, accuracy=0.0)
    return edit


def _start(case: Case, change: Change, profile: Profile) -> FloatArray | None:
    """The target's rectangle in the original, in the frame; None where the profile cannot find the target there."""
    if Deviation.ORIGIN_ASSIGNED in profile:
        return case.frame.to_frame(change.origin.found.bbox_2d)
    index = origin_index(_records(case.before, case.frame), case.original.box)
    return None if index is None else case.frame.to_frame(case.before[index].bbox_2d)


def _choice(case: Case, change: Change, start: FloatArray, profile: Profile) -> Choice:
    """The candidate. A rotation keeps its place: its goal is the original box, turned in the projection alone."""
    goal = case.goal
    if goal is None:
        raise BenchmarkError("a removal has no candidate")
    box = case.original.box if case.operation == "rotate" else goal.box
    rotation = goal.rotation if case.operation == "rotate" else case.original.rotation
    assigned = Deviation.SMALL_MOVES in profile
    return choose(
        _records(case.after, case.frame),
        origin=_records(case.before, case.frame),
        start=start,
        goal=box,
        goal_rectangle=projected_box(box, intrinsics=case.intrinsics, rotation=rotation),
        same_box=None if assigned else _SAME_BOX[case.operation],
        compare_rectangles=Deviation.STILL_RECTANGLES not in profile,
        among=[i for i, found in enumerate(case.after) if found is change.result] if assigned else None,
    )


def _with_result(change: Change, chosen: Detection | None) -> Change:
    if chosen is change.result:
        return change
    after = list(change.after)
    after[change.target] = chosen
    return replace(change, after=after)


def _records(detections: Sequence[Detection], frame: Frame) -> list[Record]:
    """Detections as the official rules read them: rectangles in the frame."""
    return [Record(found.bbox_3d, frame.to_frame(found.bbox_2d), found.rotation_matrix) for found in detections]


def _edit(answer: Compliance, change: Change, profile: Profile) -> Edit:
    """An answer of ours; where the profile pays SA without IC, its closeness counts."""
    sa = answer.accuracy if Deviation.GATED_ACCURACY in profile else answer.closeness
    return Edit(float(answer.done), sa, answer.reason, change, quantities=dict(answer.quantities))


def _moved(case: Case, change: Change, profile: Profile) -> Edit:
    goal, chosen = case.goal or case.original, change.result
    count = len(case.after) if Deviation.COUNTS not in profile else len(case.before)
    if Deviation.MOVE_DIRECTION in profile:
        edit = _edit(move.measure(change, goal=goal), change, profile)
        return edit if count == len(case.before) else replace(edit, accuracy=edit.accuracy / 2)
    found = official_move.move_accuracy(
        original=case.original.box,
        goal=goal.box,
        chosen=None if chosen is None else chosen.bbox_3d,
        count_origin=len(case.before),
        count_result=count,
    )
    done = found.sa > official_move.COMPLIANT
    return _official(done, found.sa, change, found._asdict())


def _rotated(case: Case, change: Change, profile: Profile) -> Edit:
    goal, chosen = case.goal or case.original, change.result
    if Deviation.ROTATION_SENSE in profile:
        return _edit(rotate.measure(change, goal=goal), change, profile)
    if chosen is None:
        return _official(False, 0.0, change, {})
    before = case.original
    found = official_rotate.rotate_accuracy(
        shift=centre_distance(chosen.bbox_3d, before.box),
        rotation=before.rotation,
        goal_rotation=goal.rotation,
        chosen_rotation=chosen.rotation_matrix,
    )
    done = official_rotate.rotate_compliance(rotation=before.rotation, chosen_rotation=chosen.rotation_matrix) > 0
    return _official(done, found.sa, change, found._asdict())


def _scaled(case: Case, change: Change, profile: Profile) -> Edit:
    goal, chosen = case.goal or case.original, change.result
    if Deviation.SCALE_DIRECTION in profile:
        return _edit(scale.measure(change, goal=goal), change, profile)
    before = case.original.box
    asked = official_scale.factors(goal.box, original=before)
    measured = np.ones(3) if chosen is None else official_scale.factors(chosen.bbox_3d, original=before)
    sa = official_scale.scale_accuracy(measured, goal=asked)
    quantities = {"e_g": asked.tolist(), "e_p": measured.tolist()}
    return _official(official_scale.scale_compliance(measured) > 0, sa, change, quantities)


def _removed(case: Case, change: Change, start: FloatArray, profile: Profile) -> Edit:
    if Deviation.COUNTS in profile:
        return _edit(remove.measure(change), change, profile)
    left = official_remove.still_there(_records(case.after, case.frame), original=case.original.box, start=start)
    counts = {"count_origin": len(case.before), "count_result": len(case.after)}
    sa = official_remove.remove_accuracy(removed=left is None, **counts)
    return _official(sa >= official_remove.COMPLIANT, sa, change, {"still_there": left, **counts})


def _official(done: bool, accuracy: float, change: Change, quantities: dict[str, Quantity]) -> Edit:
    reason = "made, by the official rules" if done else "not made, by the official rules"
    return Edit(float(done), accuracy, reason, change, quantities=quantities)
