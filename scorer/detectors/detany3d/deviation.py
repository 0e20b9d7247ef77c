"""How far one way of computing leads from another, told on the boxes that come out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scorer.detectors.detany3d.model import Boxes


class Deviation(NamedTuple):
    """The largest of n boxes; 0 without any, but for ``focal``.

    ``centre``: distance of the centres over the distance from the camera. ``size``: relative, of w, h, l. ``yaw`` and
    ``rotation``: degrees. ``box``: pixels of the frame, of the 2D box. ``focal``: relative, of the predicted ones.
    """

    centre: float
    size: float
    yaw: float
    rotation: float
    box: float
    focal: float


def deviation_of(one: Boxes, other: Boxes) -> Deviation:
    """Of the other from the one. Raises ValueError where they are not of the same boxes."""
    if len(one) != len(other):
        raise ValueError(f"{len(one)} boxes cannot be compared with {len(other)}")
    a, b = one.bbox_3d.astype(np.float64), other.bbox_3d.astype(np.float64)
    apart, away = np.linalg.norm(a[:, :3] - b[:, :3], axis=1), np.linalg.norm(a[:, :3], axis=1)
    turned = np.abs((a[:, 6] - b[:, 6] + math.pi) % (2 * math.pi) - math.pi)
    return Deviation(
        _most(apart / np.maximum(away, 1e-9)),
        _most(np.abs(b[:, 3:6] / a[:, 3:6] - 1)),
        math.degrees(_most(turned)),
        math.degrees(_most(_angles(one.rotation, other.rotation))),
        _most(np.abs(one.bbox_2d - other.bbox_2d)),
        _most(np.abs(np.diag(other.intrinsics)[:2] / np.diag(one.intrinsics)[:2] - 1)),
    )


def _angles(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Of the turns from one rotation (n, 3, 3) to the other; by the chord, which is exact where the angle is small."""
    chords = np.linalg.norm((one - other).astype(np.float64), axis=(1, 2)) / math.sqrt(8)
    return np.asarray(2 * np.arcsin(np.minimum(chords, 1.0)))


def _most(values: npt.NDArray[np.floating]) -> float:
    return float(values.max(initial=0.0))
