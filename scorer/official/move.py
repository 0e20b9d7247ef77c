"""Move: how far the object travelled and how well it overlaps the goal (docs/protocol.md, gsi-official-1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scorer.geometry import SAME_BOX_THRESHOLD, FloatArray, centre_distance, iou_3d, projected_box
from scorer.official.candidates import EPSILON, choose
from scorer.official.outcome import Outcome, stop
from scorer.official.truth import Detection, Truth

OVERLAP_WEIGHT, DISTANCE_WEIGHT = 0.3, 0.7
COMPLIANT = 0.05
"""IC is 1 where SA is above."""


class MoveAccuracy(NamedTuple):
    """``s1``: IoU with the goal; ``s2``: score of the distance ratio ``r``; ``count_factor``: 0.5 if counts differ."""

    sa: float
    s1: float
    s2: float
    r: float
    count_factor: float


def move_accuracy(
    *, original: FloatArray, goal: FloatArray, chosen: FloatArray | None, count_origin: int, count_result: int
) -> MoveAccuracy:
    """SA = 0.3 s1 + 0.7 s2, halved where the detections of the two images differ in number (D3, D7).

    s1 = IoU3D(goal, chosen), r = |chosen - original| / (|goal - original| + 1e-5) between centres,
    s2 = exp(-(ln(sqrt(r) + 1e-5))^2). Without a candidate s1 = r = 0, so SA is 1.9e-58 rather than 0.
    """
    s1 = 0.0 if chosen is None else iou_3d(goal, chosen)
    travelled = 0.0 if chosen is None else centre_distance(chosen, original)
    r = travelled / (centre_distance(goal, original) + EPSILON)
    s2 = float(np.exp(-(np.log(np.sqrt(r) + EPSILON) ** 2)))
    factor = 1.0 if count_origin == count_result else 0.5
    return MoveAccuracy((OVERLAP_WEIGHT * s1 + DISTANCE_WEIGHT * s2) * factor, s1, s2, r, factor)


def evaluate_move(
    truth: Truth,
    *,
    origin: Sequence[Detection],
    result: Sequence[Detection],
    gate: bool,
    same_box: float = SAME_BOX_THRESHOLD,
) -> Outcome:
    """IC and SA of a move. ``gate``: whether the locality gate passed."""
    start = stop(truth, origin=origin, result=result, gate=gate)
    if isinstance(start, str):
        return Outcome(0.0, 0.0, stopped=start)
    choice = choose(
        result,
        origin=origin,
        start=origin[start].rectangle,
        goal=truth.goal,
        goal_rectangle=projected_box(truth.goal, intrinsics=truth.intrinsics, rotation=truth.rotation),
        same_box=same_box,
    )
    accuracy = move_accuracy(
        original=truth.original,
        goal=truth.goal,
        chosen=None if choice.index is None else result[choice.index].box,
        count_origin=len(origin),
        count_result=len(result),
    )
    ic = 1.0 if accuracy.sa > COMPLIANT else 0.0
    return Outcome(ic, accuracy.sa, origin=start, choice=choice, quantities=accuracy._asdict())
