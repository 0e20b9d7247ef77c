"""Scale: the factors along the three sides against those asked for (docs/protocol.md, gsi-official-1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scorer.geometry import FloatArray, projected_box
from scorer.official.candidates import EPSILON, choose
from scorer.official.outcome import Outcome, stop
from scorer.official.truth import Detection, Truth

SAME_BOX = 0.001
"""Squared distance below which a detection repeats an origin one."""
LEAST_CHANGE = 0.2
"""IC is 1 where the factors are farther than this from (1, 1, 1), in any direction (D5)."""


def factors(box: FloatArray, *, original: FloatArray) -> FloatArray:
    """The sides (3,) of a box over the original's: sizes / (original sizes + 1e-5)."""
    return np.asarray(box[3:6] / (original[3:6] + EPSILON))


def scale_accuracy(measured: npt.ArrayLike, *, goal: npt.ArrayLike) -> float:
    """SA = exp(-mean of (ln(e_p / (e_g + 1e-5) + 1e-5))^2 over the three factors)."""
    e_p, e_g = np.asarray(measured, dtype=np.float64), np.asarray(goal, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.exp(-np.mean(np.log(e_p / (e_g + EPSILON) + EPSILON) ** 2)))


def scale_compliance(measured: npt.ArrayLike) -> float:
    """1 where the factors lie farther than 0.2 from (1, 1, 1)."""
    return 1.0 if float(np.linalg.norm(np.asarray(measured, dtype=np.float64) - 1)) > LEAST_CHANGE else 0.0


def evaluate_scale(
    truth: Truth, *, origin: Sequence[Detection], result: Sequence[Detection], gate: bool, same_box: float = SAME_BOX
) -> Outcome:
    """IC and SA of a scaling; without a candidate the factors are (1, 1, 1) (D5). ``gate``: locality gate passed."""
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
    goal = factors(truth.goal, original=truth.original)
    measured = np.ones(3) if choice.index is None else factors(result[choice.index].box, original=truth.original)
    quantities: dict[str, float | None] = {}
    for name, values in (("e_g", goal), ("e_p", measured)):
        quantities |= {f"{name}_{side}": float(value) for side, value in zip("whl", values, strict=True)}
    sa = scale_accuracy(measured, goal=goal)
    return Outcome(scale_compliance(measured), sa, origin=start, choice=choice, quantities=quantities)
