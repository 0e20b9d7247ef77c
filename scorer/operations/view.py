"""View: are all objects where they appear from the new camera?

With e the mean error of the objects' centres in the new camera's frame and e0 the same for the original's layout:

    p = 1 - e / e0,   IC = 1 if p >= 1/2,   SA = clip(p, 0, 1)

Detections and true objects are assigned one to one within each label; no pair errs by more than e0, and an object that
was lost or added errs by e0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scorer.contract import TruthObject
from scorer.detectors.port import Detection
from scorer.geometry import centre_distance
from scorer.operations.evidence import Compliance, Pose, decided
from scorer.operations.matching import assign, distances, in_canonical_order, is_called, labels_of

LEAST_PROGRESS = 0.5


class Seen(NamedTuple):
    """What became of the objects of the new view: ``found[i]`` for the i-th, and the number of objects too many."""

    found: list[Detection | None]
    added: int


def match(goals: Sequence[TruthObject], detections: Sequence[Detection]) -> Seen:
    """Assign detections to the objects of the true new view, label by label, at the least distance of centres."""
    found: list[Detection | None] = [None] * len(goals)
    remaining = in_canonical_order(detections)
    for label in labels_of(goals):
        rows = [i for i, goal in enumerate(goals) if goal.label == label]
        candidates = [d for d in remaining if is_called(d, label)]
        remaining = [d for d in remaining if not is_called(d, label)]
        columns = assign(distances([Pose.of_truth(goals[i]) for i in rows], candidates))
        for i, column in zip(rows, columns, strict=True):
            found[i] = None if column is None else candidates[column]
    return Seen(found, len(detections) - sum(d is not None for d in found))


def measure(seen: Seen, *, before: Sequence[TruthObject], goals: Sequence[TruthObject]) -> Compliance:
    """Judge a change of view. ``before`` and ``goals``: the same objects seen from the old and the new camera."""
    unchanged = float(
        np.mean([centre_distance(old.bbox_3d, new.bbox_3d) for old, new in zip(before, goals, strict=True)])
    )
    errors = [
        unchanged if found is None else min(unchanged, centre_distance(found.bbox_3d, goal.bbox_3d))
        for found, goal in zip(seen.found, goals, strict=True)
    ]
    error = float(np.mean(errors + [unchanged] * seen.added))
    progress = 1 - error / unchanged
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
