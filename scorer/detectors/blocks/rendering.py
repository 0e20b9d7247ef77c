"""Cuboids drawn as soft masks: which pixels show the top, the sides and the marker.

Every mask is a product over the two pairs of opposite edges of a quadrilateral. Across each edge it ramps from 0 to 1
over RAMP pixels, which stands for the renderer's antialiasing and for our own softening.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scorer.blocks.camera import Camera, FloatArray
from scorer.detectors.blocks.pose import SOLID_SIGNS, level_points, project_points

SingleArray = npt.NDArray[np.float32]

RAMP = 2.8
TOP, FRONT_OR_BACK, LEFT_OR_RIGHT, MARKER = range(4)
"""The masks in order. Of opposite sides the camera sees at most one."""

_FRONT, _BACK, _LEFT, _RIGHT = (0, 4, 6, 2), (1, 5, 7, 3), (0, 1, 3, 2), (4, 5, 7, 6)
_TOP, _MARKER = (0, 4, 5, 1), (8, 9, 10, 11)
_SMALLEST_FACE = 1.0
"""Square pixels below which a face is not drawn."""


def pixel_grid(xs: npt.NDArray[np.int64], ys: npt.NDArray[np.int64]) -> SingleArray:
    """Pixel indices (n,) as homogeneous pixel centres (3, n), for :func:`masks`."""
    return np.stack([xs + 0.5, ys + 0.5, np.ones(len(xs))]).astype(np.float32)


def masks(poses: FloatArray, camera: Camera, grid: SingleArray) -> SingleArray:
    """How much of each pixel of the grid (3, n) each mask of each pose (B, 6) covers: (B, 4, n), 0..1.

    The top's mask includes the marker.
    """
    faces = _visible_faces(level_points(poses, camera), poses[:, 2])
    pixels = project_points(poses, camera, SOLID_SIGNS).pixels
    quads = pixels[np.arange(len(poses))[:, None, None], faces.corners]
    edges = np.where(faces.seen[..., None, None], _half_planes(quads), 0.0).astype(np.float32)
    # einsum, for a threaded BLAS waits for its threads longer than this takes on a busy machine
    ramps = np.clip(np.einsum("bfek,kn->bfen", edges, grid), 0, 1)
    across = np.maximum(ramps[:, :, 0] + ramps[:, :, 2] - 1, 0)
    along = np.maximum(ramps[:, :, 1] + ramps[:, :, 3] - 1, 0)
    return np.asarray(across * along)


class _Faces(NamedTuple):
    """``corners`` (B, 4, 4): rows of SOLID_SIGNS around each mask; ``seen`` (B, 4): whether the camera sees it."""

    corners: npt.NDArray[np.int64]
    seen: npt.NDArray[np.bool_]


def _visible_faces(corners: FloatArray, yaws: FloatArray) -> _Faces:
    cos, sin = np.cos(yaws), np.sin(yaws)
    along = np.stack([sin, np.zeros_like(sin), cos], axis=1)
    across = np.stack([cos, np.zeros_like(sin), -sin], axis=1)
    front, back = (corners[:, 0] * along).sum(axis=1) > 0, (corners[:, 1] * along).sum(axis=1) < 0
    left, right = (corners[:, 0] * across).sum(axis=1) > 0, (corners[:, 4] * across).sum(axis=1) < 0
    top = corners[:, 0, 1] > 0
    chosen = np.tile(np.array([_TOP, _FRONT, _LEFT, _MARKER]), (len(yaws), 1, 1))
    chosen[back, FRONT_OR_BACK] = _BACK
    chosen[right, LEFT_OR_RIGHT] = _RIGHT
    return _Faces(chosen, np.stack([top, front | back, left | right, top], axis=1))


def _half_planes(quads: FloatArray) -> FloatArray:
    """Rows (B, 4, 4, 3) that take homogeneous pixels to ramp values: 1/2 on the edge, rising inwards."""
    following = np.roll(quads, -1, axis=2)
    ahead = following - quads
    area = (quads[..., 0] * following[..., 1] - quads[..., 1] * following[..., 0]).sum(axis=2) / 2
    inward = np.stack([-ahead[..., 1], ahead[..., 0]], axis=-1) * np.sign(area)[..., None, None]
    inward /= np.maximum(np.linalg.norm(inward, axis=-1, keepdims=True), 1e-9) * RAMP
    offset = 0.5 - np.sum(inward * quads, axis=-1, keepdims=True)
    planes = np.concatenate([inward, offset], axis=-1)
    return np.asarray(np.where((np.abs(area) < _SMALLEST_FACE)[..., None, None], 0.0, planes))
