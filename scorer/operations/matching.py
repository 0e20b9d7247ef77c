"""Which object is which: one-to-one assignments that do not depend on the order of detections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from scorer.contract import TruthObject
from scorer.detectors.port import Detection
from scorer.geometry import FloatArray, centre_distance, projected_box, rotation_angle
from scorer.operations.evidence import Change, Origin, Pose

FAITHFUL_CENTRE = 0.5
"""An origin detection may lie this part of the object's longest side away from the truth,"""
FAITHFUL_ANGLE = np.deg2rad(25.0)
"""turned by this much,"""
FAITHFUL_SIZE = 1.35
"""and its sides may be too large or too small by this factor."""
BEYOND = 1e-3
"""What each metre beyond the saturation still costs: enough to decide among equals, no more."""


def assign(cost: FloatArray) -> list[int | None]:
    """For each row the column assigned to it, or None, at the least total cost; each column is used once."""
    result: list[int | None] = [None] * cost.shape[0]
    if cost.size:
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            result[int(row)] = int(column)
    return result


def is_called(found: Detection, label: str) -> bool:
    """Whether a detection answers to an object's label; detections of everything carry a single word of it."""
    return found.label == label or found.label.casefold() in label.casefold().split()


def distances(rows: Sequence[Pose], columns: Sequence[Detection]) -> FloatArray:
    """Distances of centres (rows, columns), metres."""
    table = np.zeros((len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            table[i, j] = centre_distance(row.box, column.bbox_3d)
    return table


def saturated(cost: FloatArray, *, at: float) -> FloatArray:
    """Costs that hardly grow beyond ``at``, metres: min(c, at) + 0.001 max(0, c - at)."""
    return np.asarray(np.minimum(cost, at) + BEYOND * np.maximum(0.0, cost - at))


def _spacing(places: Sequence[Detection]) -> float:
    """The least distance between two places; infinite where there is but one."""
    between = distances([Pose.of_detection(place) for place in places], places)
    return float(between[~np.eye(len(places), dtype=np.bool_)].min(initial=np.inf))


def finite(detections: Sequence[Detection]) -> list[Detection]:
    """Those whose boxes, rectangles and rotations are finite: a recorded detection may hold NaN."""
    return [
        found
        for found in detections
        if all(np.isfinite(part).all() for part in (found.bbox_3d, found.bbox_2d, found.rotation_matrix))
    ]


def labels_of(objects: Sequence[TruthObject] | Sequence[Origin]) -> list[str]:
    """The distinct labels, in order of appearance."""
    return list(dict.fromkeys(known.label for known in objects))


def in_canonical_order(detections: Sequence[Detection]) -> list[Detection]:
    """Detections sorted by their numbers, so that equal costs are resolved alike whatever the detector's order."""
    return sorted(detections, key=lambda found: (found.label, *(float(v) for v in found.bbox_3d), -found.score))


def find_origins(
    objects: Sequence[TruthObject], detections: Sequence[Detection], *, intrinsics: FloatArray, image_size: FloatArray
) -> list[Origin]:
    """Every object of the truth with its detection on the original image, in order; then what else was seen there.

    ``image_size``: (2,) width and height. A detection that contradicts the truth is replaced by the truth. What the
    truth does not know (the neighbours in a photograph) is known by its detection alone; a detection assigned to an
    object, and no farther from it than its longest side, is no neighbour but that object, badly measured.
    """
    origins: list[Origin | None] = [None] * len(objects)
    taken: set[int] = set()
    for label in labels_of(objects):
        rows = [i for i, known in enumerate(objects) if known.label == label]
        found = in_canonical_order([d for d in detections if is_called(d, label)])
        poses = [Pose.of_truth(objects[i]) for i in rows]
        for i, pose, column in zip(rows, poses, assign(distances(poses, found)), strict=True):
            candidate = None if column is None else found[column]
            measured = candidate is not None and is_faithful(candidate, pose)
            if candidate is not None and centre_distance(candidate.bbox_3d, pose.box) <= float(pose.size.max()):
                taken.add(id(candidate))
            seen = candidate if candidate is not None and measured else _from_truth(label, pose, intrinsics, image_size)
            origins[i] = Origin(label=label, truth=pose, found=seen, measured=measured)
    known = [origin for origin in origins if origin is not None]
    others = [found for found in in_canonical_order(detections) if id(found) not in taken]
    labels = labels_of(objects)
    return known + [
        Origin(
            label=next((label for label in labels if is_called(found, label)), found.label),
            truth=Pose.of_detection(found),
            found=found,
            measured=True,
        )
        for found in others
    ]


def is_faithful(found: Detection, truth: Pose) -> bool:
    """Whether a detection on the original image agrees with the truth well enough to measure against."""
    near = centre_distance(found.bbox_3d, truth.box) <= FAITHFUL_CENTRE * float(truth.size.max())
    turned = rotation_angle(found.rotation_matrix, truth.rotation) <= FAITHFUL_ANGLE
    ratios = np.abs(np.log(np.maximum(found.bbox_3d[3:6], 1e-9) / truth.size))
    return bool(near and turned and (ratios <= np.log(FAITHFUL_SIZE)).all())


def _from_truth(label: str, pose: Pose, intrinsics: FloatArray, image_size: FloatArray) -> Detection:
    outline = projected_box(pose.box, intrinsics=intrinsics, rotation=pose.rotation).reshape(2, 2)
    clipped = np.clip(np.nan_to_num(outline), 0.0, image_size)
    return Detection(
        label=label, bbox_3d=pose.box, bbox_2d=clipped.reshape(4), rotation_matrix=pose.rotation, score=1.0
    )


def match_edited(
    origins: Sequence[Origin], detections: Sequence[Detection], *, target: int, goal: Pose | None
) -> Change:
    """Assign the edited image's detections to the objects of the original, label by label.

    The cost of a pair is the distance of their centres; for the target it is the smaller of the distances to where it
    was and to its ``goal``. Costs saturate at the least distance between two origins of the label, so that one object
    gone far is believed before two gone to each other's places. Labels that no origin has make extras.
    """
    after: list[Detection | None] = [None] * len(origins)
    extras: list[Detection] = []
    remaining = in_canonical_order(detections)
    for label in labels_of(origins):
        rows = [i for i, origin in enumerate(origins) if origin.label == label]
        found = [d for d in remaining if is_called(d, label)]
        remaining = [d for d in remaining if not is_called(d, label)]
        places = [origins[i].found for i in rows]
        cost = distances([Pose.of_detection(place) for place in places], found)
        if goal is not None and target in rows:
            row = rows.index(target)
            cost[row] = np.minimum(cost[row], distances([goal], found)[0])
        columns = assign(saturated(cost, at=_spacing(places)))
        for i, column in zip(rows, columns, strict=True):
            after[i] = None if column is None else found[column]
        extras += [d for j, d in enumerate(found) if j not in columns]
    return Change(origins=origins, after=after, extras=[*extras, *remaining], target=target)
