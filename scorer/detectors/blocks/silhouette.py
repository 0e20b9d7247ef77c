"""First poses from silhouettes: a cuboid's outline is convex, so its support function says all about it.

The support of a shape in a direction is how far it reaches that way. We compare the supports of the observed convex
hull and of the projected corners in DIRECTIONS directions and minimise the squares (Levenberg-Marquardt, analytic
derivatives, all starts of all objects at once).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scorer.blocks.camera import Camera, FloatArray
from scorer.detectors.blocks.pose import bounded, project_points

DIRECTIONS = 48
_ANGLES = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
NORMALS: FloatArray = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
PIXEL_REACH = 0.3
"""How far a region reaches beyond the centres of its outermost pixels, on average over directions."""
START_YAWS: FloatArray = np.radians([0, 15, 30, 45, 60, 75])
START_SHARES = (0.25, 0.5, 0.75)
"""How much of a region's height in the image the upright faces may take; the top face takes the rest."""
HEIGHT_SHARES = (0.12, 0.24, 0.36, 0.48, 0.6, 0.72, 0.84, 0.96)
FARTHEST = 50.0
"""Metres beyond which nothing is looked for."""
ROUGH_STEPS = 8
FINE_STEPS = 14
KEPT_STARTS = 4
ALL_FREE: FloatArray = np.ones(6)


@dataclass(frozen=True, eq=False)
class SilhouetteFit:
    """``pose`` (6,) and the root mean square of its support residuals in pixels."""

    pose: FloatArray
    rms: float


class _Solution(NamedTuple):
    poses: FloatArray
    costs: FloatArray


def support(hull: FloatArray) -> FloatArray:
    """How far the hull (n, 2) reaches in each direction, (DIRECTIONS,), pixels."""
    return np.asarray((hull @ NORMALS.T).max(axis=0) + PIXEL_REACH)


def fit_silhouettes(hulls: list[FloatArray], camera: Camera) -> list[list[SilhouetteFit]]:
    """For each hull the distinct poses that explain it, best first; empty where the ground is out of sight."""
    starts = [start_poses(hull, camera) for hull in hulls]
    owners = np.repeat(np.arange(len(hulls)), [len(s) for s in starts])
    if not owners.size:
        return [[] for _ in hulls]
    supports = np.stack([support(hull) for hull in hulls])
    rough = _minimise(np.concatenate(starts), supports[owners], camera, ROUGH_STEPS)
    kept = np.concatenate([_best(rough.costs, owners == k, KEPT_STARTS) for k in range(len(hulls))])
    fine = _minimise(rough.poses[kept], supports[owners[kept]], camera, FINE_STEPS)
    return [_distinct(fine, owners[kept] == k) for k in range(len(hulls))]


def fit_at_heights(hull: FloatArray, camera: Camera, yaw: float) -> FloatArray:
    """Poses (n, 6) that explain the hull, one for each of several heights held fixed.

    A cuboid seen face-on shows its height and its depth one above the other, and its outline hardly tells them apart.
    """
    starts = start_poses(hull, camera, shares=HEIGHT_SHARES, yaws=np.array([yaw]))
    if not len(starts):
        return starts
    supports = np.tile(support(hull), (len(starts), 1))
    return _minimise(starts, supports, camera, FINE_STEPS, free=np.array([1.0, 1.0, 1.0, 1.0, 0.0, 1.0])).poses


def start_poses(
    hull: FloatArray, camera: Camera, *, shares: Sequence[float] = START_SHARES, yaws: FloatArray = START_YAWS
) -> FloatArray:
    """Poses (n, 6) to begin with; none where the region's lower end does not lie on the ground before the camera."""
    low, high = hull.min(axis=0), hull.max(axis=0)
    foot = camera.on_plane(np.array([(low[0] + high[0]) / 2, high[1]]))
    if not np.isfinite(foot).all() or foot[2] > FARTHEST:
        return np.empty((0, 6))
    scale = float(np.linalg.norm(foot)) / camera.intrinsics[1, 1]
    across, upright = np.maximum((high - low) * scale, 1e-3)
    down, ahead = max(np.sin(camera.pitch), 0.2), max(np.cos(camera.pitch), 0.2)
    along = foot[[0, 2]] / max(float(np.hypot(foot[0], foot[2])), 1e-6)
    rows = []
    for share in shares:
        depth = float(np.clip((1 - share) * upright / down, 0.4 * across, 2.5 * across))
        centre = foot[[0, 2]] + along * depth / 2
        rows += [
            [*centre, yaw, sides[0], np.log(share * upright / ahead), sides[1]]
            for yaw, sides in ((yaw, _log_sides(across, depth, yaw)) for yaw in yaws)
        ]
    return bounded(np.array(rows))


def _log_sides(across: float, depth: float, yaw: float) -> FloatArray:
    """Logarithms of w and l of a solid that is about so wide and so deep as seen from the camera."""
    slant = yaw % (np.pi / 2)
    oblique = min(slant, np.pi / 2 - slant)
    sides = (across, depth) if abs(np.cos(yaw)) > np.sqrt(0.5) else (depth, across)
    return np.asarray(np.log(np.array(sides) / (np.cos(oblique) + 0.5 * np.sin(oblique))))


def _residuals(poses: FloatArray, supports: FloatArray, camera: Camera) -> tuple[FloatArray, FloatArray]:
    pixels, slopes = project_points(poses, camera)
    reach = pixels @ NORMALS.T
    leading = reach.argmax(axis=1)
    rows = np.arange(len(poses))[:, None]
    jacobian = np.einsum("kc,bkcp->bkp", NORMALS, slopes[rows, leading])
    return reach.max(axis=1) - supports, jacobian


def _minimise(
    poses: FloatArray, supports: FloatArray, camera: Camera, steps: int, free: FloatArray = ALL_FREE
) -> _Solution:
    damping = np.full(len(poses), 1e-2)
    residuals, jacobian = _residuals(poses, supports, camera)
    jacobian = jacobian * free
    costs = np.square(residuals).mean(axis=1)
    for _ in range(steps):
        normal = np.einsum("bkp,bkq->bpq", jacobian, jacobian)
        gradient = np.einsum("bkp,bk->bp", jacobian, residuals)
        diagonal = np.einsum("bpp->bp", normal)
        normal = normal + (damping[:, None] * diagonal + 1e-6)[:, :, None] * np.eye(6)
        step = np.linalg.solve(normal, gradient[..., None])[..., 0] * free
        step[:, 2:] = np.clip(step[:, 2:], -0.5, 0.5)
        trial = bounded(poses - step)
        trial_residuals, trial_jacobian = _residuals(trial, supports, camera)
        trial_jacobian = trial_jacobian * free
        trial_costs = np.square(trial_residuals).mean(axis=1)
        better = trial_costs < costs
        poses = np.where(better[:, None], trial, poses)
        residuals = np.where(better[:, None], trial_residuals, residuals)
        jacobian = np.where(better[:, None, None], trial_jacobian, jacobian)
        costs = np.where(better, trial_costs, costs)
        damping = np.clip(np.where(better, damping * 0.3, damping * 6), 1e-7, 1e4)
    return _Solution(poses, costs)


def _best(costs: FloatArray, owned: FloatArray, count: int) -> FloatArray:
    mine = np.flatnonzero(owned)
    return np.asarray(mine[np.argsort(costs[mine], kind="stable")[:count]])


def _distinct(solution: _Solution, owned: FloatArray) -> list[SilhouetteFit]:
    found: list[SilhouetteFit] = []
    for index in _best(solution.costs, owned, KEPT_STARTS):
        pose = solution.poses[index]
        if all(_differs(pose, other.pose) for other in found):
            found.append(SilhouetteFit(pose, float(np.sqrt(solution.costs[index]))))
    return found


def _differs(pose: FloatArray, other: FloatArray) -> bool:
    """Whether two poses describe different solids; a quarter turn with exchanged sides is the same solid."""
    turn = (pose[2] - other[2]) / (np.pi / 2)
    if abs(turn - round(turn)) * 90 > 3:
        return True
    sides = pose[[3, 4, 5]] if round(turn) % 2 == 0 else pose[[5, 4, 3]]
    return bool(np.abs(sides - other[3:]).max() > 0.05)
