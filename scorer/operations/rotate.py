"""Rotate: did the target turn by the angle that was asked for, and stay where it was?

With G the rotation that was asked for, M the one measured from the true original, g the angle of G and d the angle
between G and M:

    IC = 1  if  d < g / 2  and the centre moved by at most half the target's longer horizontal side
    SA = max(0, 1 - d / g)
"""

from __future__ import annotations

import numpy as np

from scorer.geometry import centre_distance, rotation_angle
from scorer.operations.evidence import Change, Compliance, Pose, decided, lost

LARGEST_ERROR = 0.5
"""In units of the angle asked for."""
LARGEST_DRIFT = 0.5
"""In units of the target's longer horizontal side."""


def measure(change: Change, *, goal: Pose) -> Compliance:
    """Judge a rotation. ``goal``: the target's box with the rotation it should have."""
    origin, result = change.origin, change.result
    asked = goal.rotation @ origin.truth.rotation.T
    angle = rotation_angle(np.eye(3), asked)
    if result is None:
        return lost({"asked_rad": angle})
    made = result.rotation_matrix @ origin.truth.rotation.T
    error = rotation_angle(asked, made)
    drift = centre_distance(result.bbox_3d, origin.truth.box)
    allowed = LARGEST_DRIFT * float(max(origin.truth.size[0], origin.truth.size[2]))
    turned, stayed = error < LARGEST_ERROR * angle, drift <= allowed
    if not turned:
        reason = "the target did not turn as asked"
    elif not stayed:
        reason = "the target turned, but did not stay where it was"
    else:
        reason = "the target turned as asked"
    return decided(
        done=turned and stayed,
        accuracy=1 - error / angle,
        reason=reason,
        quantities={
            "asked_rad": angle,
            "measured_rad": rotation_angle(np.eye(3), made),
            "error_rad": error,
            "drift_m": drift,
            "allowed_drift_m": allowed,
        },
    )
