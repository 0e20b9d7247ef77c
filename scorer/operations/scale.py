"""Scale: did the target grow or shrink by the factor that was asked for?

With e_g the logarithms of the factors asked for along w, h, l, e_m those measured, and |e| the root mean square over
the three axes (e_m compares what was seen with what was seen, so that a detector's bias in size cancels):

    IC = 1  if  the mean of e_m . e_g / |e_g| >= |e_g| / 2  and  |e_m - e_g| <= |e_g|
    SA = max(0, 1 - |e_m - e_g| / |e_g|)

For a uniform factor the first condition asks for half of the way (in the logarithm) in the right direction.
"""

from __future__ import annotations

import numpy as np

from scorer.geometry import FloatArray
from scorer.operations.evidence import Change, Compliance, Pose, decided, lost

LEAST_PROGRESS = 0.5
_SMALLEST_SIDE = 1e-6


def measure(change: Change, *, goal: Pose) -> Compliance:
    """Judge a change of size. ``goal``: the target's box at the size it should have."""
    origin, result = change.origin, change.result
    asked = _log_ratio(goal.size, origin.truth.size)
    length = _rms(asked)
    if result is None:
        return lost({"asked_factor": float(np.exp(asked.mean()))})
    made = _log_ratio(result.bbox_3d[3:6], origin.found.bbox_3d[3:6])
    progress = float(np.mean(made * asked)) / length
    error = _rms(made - asked)
    if progress < LEAST_PROGRESS * length:
        reason = "the target's size did not change far enough in the direction that was asked for"
    elif error > length:
        reason = "the target's size changed, but ended farther from the goal than it began"
    else:
        reason = "the target's size changed as asked"
    return decided(
        done=progress >= LEAST_PROGRESS * length and error <= length,
        accuracy=1 - error / length,
        reason=reason,
        quantities={
            "asked_factor": float(np.exp(asked.mean())),
            "measured_factors": np.exp(made).tolist(),
            "progress_log": progress,
            "error_log": error,
        },
    )


def _log_ratio(after: FloatArray, before: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.maximum(after, _SMALLEST_SIDE) / np.maximum(before, _SMALLEST_SIDE)))


def _rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))
