"""Move and place: is the target where it was asked to go?

With u the displacement that was asked for, v the one measured from the true original place (camera frame, metres):

    IC = 1  if  v . u / |u| >= |u| / 2,  |v - u| <= |u|,  and no copy stayed within |u| / 2 of the old place
    SA = max(0, 1 - |v - u| / |u|)
"""

from __future__ import annotations

import numpy as np

from scorer.geometry import centre_distance
from scorer.operations.evidence import Change, Compliance, Pose, decided, lost

LEAST_PROGRESS = 0.5
"""The part of the way that must have been made in the right direction."""
COPY_RADIUS = 0.5
"""In units of |u|: another object of the target's name so near the old place means that the target was copied."""


def measure(change: Change, *, goal: Pose) -> Compliance:
    """Judge a move. ``goal``: where the target should be."""
    origin, result = change.origin, change.result
    asked = goal.centre - origin.truth.centre
    length = float(np.linalg.norm(asked))
    if result is None:
        return lost({"asked_m": length})
    made = result.bbox_3d[:3] - origin.truth.box[:3]
    along = float(made @ asked) / length
    error = float(np.linalg.norm(made - asked))
    copied = any(
        centre_distance(extra.bbox_3d, origin.truth.box) <= COPY_RADIUS * length
        for extra in change.extras
        if extra.label == result.label
    )
    if copied:
        reason = "the target appears twice: one stayed where it was"
    elif along < LEAST_PROGRESS * length:
        reason = "the target did not move far enough in the direction that was asked for"
    elif error > length:
        reason = "the target moved, but ended farther from the goal than it began"
    else:
        reason = "the target moved as asked"
    return decided(
        done=not copied and along >= LEAST_PROGRESS * length and error <= length,
        accuracy=1 - error / length,
        reason=reason,
        quantities={
            "asked_m": length,
            "asked_xyz_m": asked.tolist(),
            "measured_xyz_m": made.tolist(),
            "progress_m": along,
            "error_m": error,
            "copied": copied,
        },
    )
