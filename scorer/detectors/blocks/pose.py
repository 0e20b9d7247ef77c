"""Cuboids on the ground as six numbers each, their points in the image, and how those move with the numbers.

A pose is a row [x, z, yaw, ln w, ln h, ln l]: position of the centre in the level frame (metres), radians, logarithms
of metres. All functions take many poses at once, (B, 6).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scorer.blocks.camera import Camera, FloatArray
from scorer.blocks.world import CORNER_SIGNS, MARKER_X, MARKER_Z

NEAREST = 0.02
"""Metres in front of the camera: points are kept at least this far, so that no projection is undefined."""
MAX_LOG_SIZE = 2.5
MIN_LOG_SIZE = -5.5

MARKER_SIGNS: FloatArray = np.array([[x, -0.5, z] for x, z in zip(MARKER_X, MARKER_Z, strict=True)]).repeat(2, axis=0)
MARKER_SIGNS[:, 2] = [MARKER_Z[0], MARKER_Z[1], MARKER_Z[1], MARKER_Z[0]]
"""The marker's corners (4, 3) in turn, in widths, heights and lengths."""
SOLID_SIGNS: FloatArray = np.concatenate([CORNER_SIGNS, MARKER_SIGNS])
"""Corners (rows 0-7) and marker (rows 8-11), (12, 3)."""


class Points(NamedTuple):
    """``pixels`` (B, n, 2) and their derivatives by the pose's numbers, ``slopes`` (B, n, 2, 6)."""

    pixels: FloatArray
    slopes: FloatArray


class _Level(NamedTuple):
    points: FloatArray
    slopes: FloatArray


def level_points(poses: FloatArray, camera: Camera, signs: FloatArray = CORNER_SIGNS) -> FloatArray:
    """Points (B, n, 3) in the level frame, given in units of the cuboid's sides as ``signs`` (n, 3)."""
    return _level(poses, camera, signs).points


def project_points(poses: FloatArray, camera: Camera, signs: FloatArray = CORNER_SIGNS) -> Points:
    """Where points given in units of the cuboid's sides, ``signs`` (n, 3), appear in the image, with derivatives."""
    points, slopes = _level(poses, camera, signs)
    matrix = camera.intrinsics @ camera.rotation
    homogeneous = points @ matrix.T
    depth = np.maximum(homogeneous[..., 2], NEAREST)
    pixels = homogeneous[..., :2] / depth[..., None]
    moved = np.einsum("ij,bvjk->bvik", matrix, slopes)
    pixel_slopes = (moved[..., :2, :] - pixels[..., None] * moved[..., 2:, :]) / depth[..., None, None]
    return Points(pixels, pixel_slopes)


def _level(poses: FloatArray, camera: Camera, signs: FloatArray) -> _Level:
    x, z, yaw = (poses[:, i, None] for i in range(3))
    w, h, length = (np.exp(poses[:, i, None]) for i in range(3, 6))
    cos, sin = np.cos(yaw), np.sin(yaw)
    across, up, along = signs[:, 0] * w, (signs[:, 1] - 0.5) * h, signs[:, 2] * length
    points = np.stack([x + across * cos + along * sin, camera.height + up, z - across * sin + along * cos], axis=-1)
    slopes = np.zeros((*points.shape, 6))
    slopes[..., 0, 0] = 1
    slopes[..., 2, 1] = 1
    slopes[..., 0, 2] = along * cos - across * sin
    slopes[..., 2, 2] = -across * cos - along * sin
    slopes[..., 0, 3], slopes[..., 2, 3] = across * cos, -across * sin
    slopes[..., 1, 4] = up
    slopes[..., 0, 5], slopes[..., 2, 5] = along * sin, along * cos
    return _Level(points, slopes)


def bounded(poses: FloatArray) -> FloatArray:
    """The poses with sizes and positions kept within what can be computed with."""
    kept = poses.copy()
    kept[:, :2] = np.clip(kept[:, :2], -60.0, 60.0)
    kept[:, 3:] = np.clip(kept[:, 3:], MIN_LOG_SIZE, MAX_LOG_SIZE)
    return kept


def turned(pose: FloatArray, quarter_turns: int) -> FloatArray:
    """The same solid described with its front on another side: yaw turned by quarters, w and l exchanged to match."""
    result = pose.copy()
    result[2] += quarter_turns * np.pi / 2
    if quarter_turns % 2:
        result[3], result[5] = pose[5], pose[3]
    return result
