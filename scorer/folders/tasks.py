"""Official folders in the terms of the one procedure: a sample of theirs as a task, a record as a detection."""

from __future__ import annotations

import numpy as np
from pydantic import ValidationError

from scorer.contract import CameraData, Operation, Sample, TruthObject, TruthSample
from scorer.detectors.port import Detection, Image
from scorer.deviations import OFFICIAL, Deviation, Profile
from scorer.errors import ScorerError
from scorer.geometry import yaw_rotation
from scorer.inputs import Task, complaint
from scorer.official import imaging
from scorer.official.aborts import OfficialAbortError
from scorer.official.dataset import read_truth
from scorer.official.names import Match
from scorer.official.pictures import UnreadableError, read_image
from scorer.official.sample import operation_of
from scorer.official.truth import Detection as Record
from scorer.official.truth import Truth
from scorer.sample import KNOWN

_SAME_SIZE = 1e-6


def _operation(truth: Truth, profile: Profile) -> Operation:
    """By what the edit JSON holds where the profile asks what is stated, else by the words of the instruction."""
    stated = _stated(truth) if Deviation.STATED_OPERATION in profile else None
    read = stated or operation_of(truth)
    if read not in KNOWN:
        raise OfficialAbortError("NotImplementedError", f"{read!r} is not an operation")
    return read  # type: ignore[return-value]  # one of KNOWN


def _stated(truth: Truth) -> Operation | None:
    """A new rotation is a rotate, new sizes a scale, a new place a move; None where nothing new is stated.

    Then the words decide: a true view that is missing or cannot be read makes no removal of a change of view.
    """
    fields = truth.fields
    if fields.get("new_rotation_matrix") is not None:
        return "rotate"
    if fields.get("new_bbox_3d") is not None:
        before, after = truth.original[3:6], truth.goal[3:6]
        return "move" if np.allclose(before, after, atol=_SAME_SIZE) else "scale"
    return None


def task_of(found: Match, original: Image, profile: Profile) -> Task:
    """The sample as the procedure knows it. Raises OfficialAbortError where a field is missing or cannot be read.

    Raises ScorerError for a goal that asks for nothing: the official formulas have a number for it, no other has.
    """
    edit = read_truth(found.description)
    fields = edit.fields
    operation = _operation(edit, profile)
    frame = imaging.Frame.of(*original.shape[:2])
    try:
        known = TruthObject(
            label=fields["target"], bbox_3d=fields["original_bbox_3d"], rotation_matrix=fields["rotation_matrix"]
        )
        truth = TruthSample(
            prompt=fields["prompt"],
            target=fields["target"],
            original_bbox_3d=fields["original_bbox_3d"],
            rotation_matrix=fields["rotation_matrix"],
            camera_intrinsics=fields["camera_intrinsics"],
            new_bbox_3d=edit.goal.tolist() if operation in ("move", "scale") else None,
            new_rotation_matrix=edit.goal_rotation.tolist() if operation == "rotate" else None,
            target_index=0,
            objects=[known],
            new_objects=[],
            gt_image=None if true_view(found, original) is None else "true-view",
        )
        sample = Sample(
            id=found.name.key,
            subset="part",
            scene=found.name.image,
            operation=operation,
            instruction=fields["prompt"],
            target=fields["target"],
            original="original",
            width=original.shape[1],
            height=original.shape[0],
            camera=CameraData(intrinsics=frame.intrinsics(fields["camera_intrinsics"])),
        )
    except KeyError as error:
        raise OfficialAbortError("KeyError", f"{found.description.name} has no {error.args[0]}") from error
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
        raise OfficialAbortError("ValueError", f"{found.description.name}: {where} cannot be used") from None
    if profile != OFFICIAL and operation != "view":
        _require_goal(Task(sample, truth), file=found.description.name)
    return Task(sample, truth)


def _require_goal(task: Task, *, file: str) -> None:
    """Whether the words fit is the operation's question, answered before; here they are those of the operation."""
    sample = task.sample.model_copy(update={"instruction": task.sample.operation})
    wrong = complaint(Task(sample, task.truth))
    if wrong is not None:
        raise ScorerError(f"{file}: {wrong}: correct the file, then score again")


def true_view(found: Match, original: Image) -> Image | None:
    """The true view, where there is one of the original's size."""
    if found.ground_truth is None:
        return None
    try:
        image = read_image(found.ground_truth)
    except UnreadableError:
        return None
    return image if image.shape == original.shape else None


def detection_of(record: Record, frame: imaging.Frame, target: str) -> Detection:
    """A record as a detection in the image's pixels; without a rotation, its yaw about the vertical."""
    rotation = yaw_rotation(float(record.box[6])) if record.rotation is None else record.rotation
    return Detection(
        label=target,
        bbox_3d=record.box,
        bbox_2d=frame.to_original(record.rectangle),
        rotation_matrix=rotation,
        score=1.0,
    )
