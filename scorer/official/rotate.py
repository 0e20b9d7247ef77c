"""Rotate: the angle turned against the angle asked for (docs/protocol.md, gsi-official-1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from scorer.geometry import FloatArray, centre_distance, is_same, projected_box, rotation_angle
from scorer.official.aborts import OfficialAbortError
from scorer.official.candidates import EPSILON, choose
from scorer.official.outcome import Outcome, stop
from scorer.official.truth import Detection, Truth

SAME_BOX = 0.001
"""Squared distance below which a detection repeats an origin one."""
SAME_ROTATION = 1e-4
"""Squared distance of matrices below which nothing was turned."""
LARGEST_SHIFT = 0.5
"""Metres that the centre may move."""


class RotateAccuracy(NamedTuple):
    """Angles in radians: ``t_g`` asked for, ``t_p`` turned, ``d`` between goal and chosen; ``shift`` in metres."""

    sa: float
    shift: float
    t_g: float
    t_p: float
    q: float
    d: float


def rotate_accuracy(
    *, shift: float, rotation: FloatArray, goal_rotation: FloatArray, chosen_rotation: FloatArray
) -> RotateAccuracy:
    """SA = 0.5 exp(-(ln(q + 1e-5))^2) + 0.5 exp(-d) with q = t_p / (t_g + 1e-5); 0 for a shift of 0.5 m or more (D6).

    Rotations are (3, 3).
    """
    t_g, t_p = rotation_angle(rotation, goal_rotation), rotation_angle(rotation, chosen_rotation)
    d = rotation_angle(goal_rotation, chosen_rotation)
    q = t_p / (t_g + EPSILON)
    sa = 0.5 * float(np.exp(-(np.log(q + EPSILON) ** 2))) + 0.5 * float(np.exp(-d))
    return RotateAccuracy(sa if shift < LARGEST_SHIFT else 0.0, shift, t_g, t_p, q, d)


def rotate_compliance(*, rotation: FloatArray, chosen_rotation: FloatArray) -> float:
    """1 where the chosen rotation differs at all from the original one, in whichever sense (D6)."""
    return 0.0 if is_same(chosen_rotation, rotation, threshold=SAME_ROTATION) else 1.0


def evaluate_rotate(
    truth: Truth, *, origin: Sequence[Detection], result: Sequence[Detection], gate: bool, same_box: float = SAME_BOX
) -> Outcome:
    """IC and SA of a rotation. ``gate``: whether the locality gate and the viewpoint test passed."""
    start = stop(truth, origin=origin, result=result, gate=gate)
    if isinstance(start, str):
        return Outcome(0.0, 0.0, stopped=start)
    choice = choose(
        result,
        origin=origin,
        start=origin[start].rectangle,
        goal=truth.original,
        goal_rectangle=projected_box(truth.original, intrinsics=truth.intrinsics, rotation=truth.goal_rotation),
        same_box=same_box,
    )
    if choice.index is None:
        return Outcome(0.0, 0.0, origin=start, choice=choice)
    chosen = result[choice.index]
    if chosen.rotation is None:
        raise OfficialAbortError("KeyError", "the chosen detection has no rotation_matrix")
    accuracy = rotate_accuracy(
        shift=centre_distance(chosen.box, truth.original),
        rotation=truth.rotation,
        goal_rotation=truth.goal_rotation,
        chosen_rotation=chosen.rotation,
    )
    ic = rotate_compliance(rotation=truth.rotation, chosen_rotation=chosen.rotation)
    return Outcome(ic, accuracy.sa, origin=start, choice=choice, quantities=accuracy._asdict())
