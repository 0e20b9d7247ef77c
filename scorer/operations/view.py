"""View: are all objects where they appear from the new camera?

With u_i the displacement of object i's centre between the old and the new camera's frame, v_i the one found, r the mean
of |u_i|, e the mean of min(r, |v_i - u_i|), and a subscript 0 for what the original's layout itself would get:

    q = sum(v_i . u_i) / (sum(|u_i|^2) + added r^2)
    IC = 1  if  (q - q0) / (1 - q0) >= 1/2  and  the mean of |v_i - u_i| <= e0
    SA = clip(1 - e / e0, 0, 1)

Detections and true objects are assigned one to one within each label at the least error; an object that was lost has
v_i = 0 and errs by r, one that was added errs by r. The original's layout may fit the new view better than nothing does
(a row of equal chairs, shifted by one): q0 and e0 know. As in a move, noise that points nowhere hardly changes q.
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
    layout = match(goals, [_as_seen(known) for known in before], before=before)
    made, unchanged = (_fit(one, before, goals) for one in (seen, layout))
    asks = unchanged.error > LEAST_CHANGE and unchanged.progress < 1
    progress = (made.progress - unchanged.progress) / (1 - unchanged.progress) if asks else 0.0
    done = progress >= LEAST_PROGRESS and made.deviation <= unchanged.error
    return decided(
        done=done,
        accuracy=1 - made.error / unchanged.error if asks else 0.0,
        reason="the view changed as asked" if done else "the objects are not where they appear from the new view",
        quantities={
            "error_m": made.error,
            "unchanged_error_m": unchanged.error,
            "progress": progress,
            "lost": sum(found is None for found in seen.found),
            "added": seen.added,
        },
    )


def _reach(before: Sequence[TruthObject], goals: Sequence[TruthObject]) -> float:
    pairs = zip(before, goals, strict=True)
    return float(np.mean([centre_distance(old.bbox_3d, new.bbox_3d) for old, new in pairs]))


class _Fit(NamedTuple):
    """How a layout fits the new view: q, and the mean errors in metres, bounded by r (e) and not."""

    progress: float
    error: float
    deviation: float


def _fit(seen: Seen, before: Sequence[TruthObject], goals: Sequence[TruthObject]) -> _Fit:
    old, new = (np.array([known.bbox_3d[:3] for known in side]) for side in (before, goals))
    centres = [start if found is None else found.bbox_3d[:3] for found, start in zip(seen.found, old, strict=True)]
    lost = np.array([found is None for found in seen.found])
    reach = _reach(before, goals)
    asked, made = new - old, np.array(centres) - old
    distances_left = np.where(lost, reach, np.linalg.norm(made - asked, axis=1))
    added = [reach] * seen.added
    return _Fit(
        progress=float((made * asked).sum() / max((asked**2).sum() + seen.added * reach**2, LEAST_CHANGE**2)),
        error=float(np.mean([*np.minimum(distances_left, reach), *added])),
        deviation=float(np.mean([*distances_left, *added])),
    )


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
