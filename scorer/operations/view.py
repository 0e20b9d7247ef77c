"""View: are all objects where they appear from the new camera?

With r the mean distance between the objects' centres in the old and in the new camera's frame, e the mean error of the
centres found in the new one, and e0 the same for the original's layout:

    p = 1 - e / e0,   IC = 1 if p >= 1/2,   SA = clip(p, 0, 1)

Detections and true objects are assigned one to one within each label at the least error; no pair errs by more than r,
and an object that was lost or added errs by r. Measured so, the original's layout may fit the new view better than r
says (a row of equal chairs, shifted by one): e0 knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scorer.contract import TruthObject
from scorer.detectors.port import Detection
from scorer.geometry import centre_distance
from scorer.operations.evidence import Compliance, Pose, decided
from scorer.operations.matching import assign, distances, in_canonical_order, is_called, labels_of, saturated

LEAST_PROGRESS = 0.5
LEAST_CHANGE = 1e-6
"""Metres: an original whose layout errs by less cannot be told from the new view, and nothing counts as done."""


class Seen(NamedTuple):
    """What became of the objects of the new view: ``found[i]`` for the i-th, and the number of objects too many."""

    found: list[Detection | None]
    added: int


def match(goals: Sequence[TruthObject], detections: Sequence[Detection], *, before: Sequence[TruthObject] = ()) -> Seen:
    """Assign detections to the objects of the true new view, label by label, at the least error.

    ``before``: the same objects from the old camera, where they are known; errors end at their mean distance.
    """
    reach = _reach(before, goals) if before and goals else np.inf
    found: list[Detection | None] = [None] * len(goals)
    remaining = in_canonical_order(detections)
    for label in labels_of(goals):
        rows = [i for i, goal in enumerate(goals) if goal.label == label]
        candidates = [d for d in remaining if is_called(d, label)]
        remaining = [d for d in remaining if not is_called(d, label)]
        columns = assign(saturated(distances([Pose.of_truth(goals[i]) for i in rows], candidates), at=reach))
        for i, column in zip(rows, columns, strict=True):
            found[i] = None if column is None else candidates[column]
    return Seen(found, len(detections) - sum(d is not None for d in found))


def measure(seen: Seen, *, before: Sequence[TruthObject], goals: Sequence[TruthObject]) -> Compliance:
    """Judge a change of view. ``before`` and ``goals``: the same objects seen from the old and the new camera.

    ``seen``: what :func:`match` found with the same ``before``.
    """
    reach = _reach(before, goals)
    layout = [_as_seen(known) for known in before]
    error, unchanged = (_error(one, goals, reach) for one in (seen, match(goals, layout, before=before)))
    progress = 1 - error / unchanged if unchanged > LEAST_CHANGE else 0.0
    done = progress >= LEAST_PROGRESS
    return decided(
        done=done,
        accuracy=progress,
        reason="the view changed as asked" if done else "the objects are not where they appear from the new view",
        quantities={
            "error_m": error,
            "unchanged_error_m": unchanged,
            "progress": progress,
            "lost": sum(found is None for found in seen.found),
            "added": seen.added,
        },
    )


def _reach(before: Sequence[TruthObject], goals: Sequence[TruthObject]) -> float:
    pairs = zip(before, goals, strict=True)
    return float(np.mean([centre_distance(old.bbox_3d, new.bbox_3d) for old, new in pairs]))


def _error(seen: Seen, goals: Sequence[TruthObject], reach: float) -> float:
    """The mean error of the centres, metres; what was lost or added errs by ``reach``."""
    errors = [
        reach if found is None else min(reach, centre_distance(found.bbox_3d, goal.bbox_3d))
        for found, goal in zip(seen.found, goals, strict=True)
    ]
    return float(np.mean(errors + [reach] * seen.added))


def _as_seen(known: TruthObject) -> Detection:
    """An object of the truth as a perfect detector would see it; its rectangle is asked of nobody."""
    box, rotation = Pose.of_truth(known)
    return Detection(known.label, bbox_3d=box, bbox_2d=np.zeros(4), rotation_matrix=rotation, score=1.0)


def measure_picture(*, edited: float, original: float) -> Compliance:
    """Judge a change of view by the picture: distances of the edited and of the original image to the true view.

    p = 1 - edited / original, as above. A true view like the original asks for nothing: nothing is done.
    """
    progress = 1 - edited / original if original > 0 else 0.0
    done = progress >= LEAST_PROGRESS
    return decided(
        done=done,
        accuracy=progress,
        reason="the picture is close to the true view" if done else "the picture is not close enough to the true view",
        quantities={"distance": edited, "unchanged_distance": original, "progress": progress},
    )
