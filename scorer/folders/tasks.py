"""Official folders in the terms of the one procedure: a sample of theirs as a task, a record as a detection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from scorer.contract import CameraData, Operation, Sample, TruthObject, TruthSample
from scorer.detectors.port import Detection, Image
from scorer.deviations import Deviation, Profile
from scorer.geometry import yaw_rotation
from scorer.inputs import Task
from scorer.official import imaging
from scorer.official.aborts import OfficialAbortError
from scorer.official.dataset import read_truth
from scorer.official.names import Match
from scorer.official.sample import operation_of, read_image
from scorer.official.truth import Detection as Record
from scorer.official.truth import Truth
from scorer.sample import KNOWN

_SAME_SIZE = 1e-6


def _operation(truth: Truth, *, has_view: bool, profile: Profile) -> Operation:
    """By what the edit JSON holds where the profile asks what is stated, else by the words of the instruction."""
    if Deviation.STATED_OPERATION in profile:
        return _stated(truth.fields, has_view=has_view)
    read = operation_of(truth)
    if read not in KNOWN:
        raise OfficialAbortError("NotImplementedError", f"{read!r} is not an operation")
    return read  # type: ignore[return-value]  # one of KNOWN


def _stated(fields: Mapping[str, Any], *, has_view: bool) -> Operation:
    """A new rotation is a rotate, new sizes a scale, a new place a move, a true view a view; nothing new a remove."""
    if fields.get("new_rotation_matrix") is not None:
        return "rotate"
    if fields.get("new_bbox_3d") is not None:
        before, after = (np.array(fields[name], dtype=float)[3:6] for name in ("original_bbox_3d", "new_bbox_3d"))
        return "move" if np.allclose(before, after, atol=_SAME_SIZE) else "scale"
    return "view" if has_view else "remove"


def task_of(found: Match, original: Image, profile: Profile) -> Task:
    """The sample as the procedure knows it. Raises OfficialAbortError where a field is missing or cannot be read."""
    edit = read_truth(found.description)
    fields = edit.fields
    operation = _operation(edit, has_view=true_view(found, original) is not None, profile=profile)
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
            new_bbox_3d=fields.get("new_bbox_3d") if operation in ("move", "scale") else None,
            new_rotation_matrix=fields.get("new_rotation_matrix") if operation == "rotate" else None,
            target_index=0,
            objects=[known],
            new_objects=[],
            gt_image=None if found.ground_truth is None else "true-view",
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
            camera=CameraData(intrinsics=fields["camera_intrinsics"]),
        )
    except KeyError as error:
        raise OfficialAbortError("KeyError", f"{found.description.name} has no {error.args[0]}") from error
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
        raise OfficialAbortError("ValueError", f"{found.description.name}: {where} cannot be used") from None
    return Task(sample, truth)


def true_view(found: Match, original: Image) -> Image | None:
    """The true view, where there is one of the original's size."""
    if found.ground_truth is None:
        return None
    try:
        image = read_image(found.ground_truth)
    except (OSError, ValueError, SyntaxError):
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
