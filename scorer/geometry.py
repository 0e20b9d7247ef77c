"""Boxes, projections, overlaps and rotations, as docs/protocol.md defines them. Pure, float64, no torch.

A 3D box is [x, y, z (centre), w, h, l, yaw] in metres and radians in the camera frame (x right, y down, z forward).
A 2D box is [x1, y1, x2, y2] in pixels.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SAME_BOX_THRESHOLD = 0.1
"""Squared distance under which two 3D boxes count as the same."""
SAME_RECTANGLE_THRESHOLD = 100.0
"""Squared distance, pixels², under which two 2D boxes count as the same."""

_VERTEX_SIGNS: FloatArray = np.array(
    [[x, y, z] for z in (1.0, -1.0) for x, y in ((1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (-1.0, 1.0))]
)
_FOOTPRINT_SIGNS: FloatArray = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
_CENTIMETRE = 0.01

_STEPS = {
    "left": (0, -1.0),
    "right": (0, 1.0),
    "front": (2, -1.0),
    "behind": (2, 1.0),
    "above": (1, -1.0),
    "below": (1, 1.0),
}


def is_same(a: npt.ArrayLike, b: npt.ArrayLike, *, threshold: float = SAME_BOX_THRESHOLD) -> bool:
    """Whether the sum of squared differences is strictly below ``threshold``; angles are compared without wrapping."""
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    return bool(np.sum(difference**2) < threshold)


def yaw_rotation(yaw: float) -> FloatArray:
    """The rotation about y, 3x3, by ``yaw`` radians: [[c, 0, s], [0, 1, 0], [-s, 0, c]]."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def vertices(box: npt.ArrayLike, *, rotation: npt.ArrayLike | None = None) -> FloatArray:
    """The corners (8, 3) of a 3D box, turned by ``rotation`` (3, 3) or, without one, by its own yaw.

    Order: the +z face, then the -z face; in each (+x, +y), (+x, -y), (-x, -y), (-x, +y), in local coordinates.
    """
    values = np.asarray(box, dtype=np.float64)
    matrix = yaw_rotation(values[6]) if rotation is None else np.asarray(rotation, dtype=np.float64)
    return np.asarray((_VERTEX_SIGNS * values[3:6] / 2) @ matrix.T + values[:3])


def project(points: npt.ArrayLike, *, intrinsics: npt.ArrayLike) -> FloatArray:
    """Pixels (n, 2) of points (n, 3). No clipping: a point behind the camera is mirrored, z = 0 gives inf or NaN."""
    homogeneous = np.asarray(points, dtype=np.float64) @ np.asarray(intrinsics, dtype=np.float64).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:3])


def projected_box(
    box: npt.ArrayLike, *, intrinsics: npt.ArrayLike, rotation: npt.ArrayLike | None = None
) -> FloatArray:
    """The 2D box (4,) around the projected corners of a 3D box, not clipped to any image."""
    pixels = project(vertices(box, rotation=rotation), intrinsics=intrinsics)
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])


def iou_2d(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Intersection over union of two 2D boxes, 0..1; 0 where the union is empty."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    sides = np.maximum(0.0, np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2]))
    intersection = float(np.prod(sides))
    union = float(np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2])) - intersection
    return intersection / union if union > 0 else 0.0


def iou_3d(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Intersection over union of two 3D boxes turned by their yaws about y, 0..1.

    Footprints in (x, z) are intersected as convex quadrilaterals; 0 where one has no area or the union is empty.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    ground_a, ground_b = _footprint(first), _footprint(second)
    if _area(ground_a) <= 0 or _area(ground_b) <= 0:
        return 0.0
    low = max(_low(first), _low(second))
    overlap = max(0.0, min(_high(first), _high(second)) - low)
    shared = _area(_clipped(ground_a, by=ground_b)) * overlap
    union = _area(ground_a) * abs(float(first[4])) + _area(ground_b) * abs(float(second[4])) - shared
    return shared / union if union > 0 else 0.0


def _low(box: FloatArray) -> float:
    return float(box[1] - abs(box[4]) / 2)


def _high(box: FloatArray) -> float:
    return float(box[1] + abs(box[4]) / 2)


def _footprint(box: FloatArray) -> FloatArray:
    """The corners (4, 2) in (x, z), counter-clockwise by sign of area."""
    c, s = np.cos(box[6]), np.sin(box[6])
    local = _FOOTPRINT_SIGNS * box[[3, 5]] / 2
    corners = local @ np.array([[c, -s], [s, c]]) + box[[0, 2]]
    return np.asarray(corners if _signed_area(corners) >= 0 else corners[::-1])


def _signed_area(polygon: FloatArray) -> float:
    if len(polygon) < 3:
        return 0.0
    x, z = (polygon - polygon[0]).T
    return float(np.sum(x * np.roll(z, -1) - z * np.roll(x, -1)) / 2)


def _area(polygon: FloatArray) -> float:
    return abs(_signed_area(polygon))


def _clipped(polygon: FloatArray, *, by: FloatArray) -> FloatArray:
    """The part of a convex polygon inside another, both counter-clockwise (Sutherland and Hodgman 1974)."""
    for start, end in zip(by, np.roll(by, -1, axis=0), strict=True):
        if len(polygon) == 0:
            break
        edge = end - start
        offsets = polygon - start
        side = edge[0] * offsets[:, 1] - edge[1] * offsets[:, 0]
        kept: list[FloatArray] = []
        for i in range(len(polygon)):
            j = (i + 1) % len(polygon)
            if side[i] >= 0:
                kept.append(polygon[i])
            if (side[i] > 0 > side[j]) or (side[i] < 0 < side[j]):
                kept.append(polygon[i] + (polygon[j] - polygon[i]) * (side[i] / (side[i] - side[j])))
        polygon = np.array(kept).reshape(-1, 2)
    return polygon


def centre_distance(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """The distance between two boxes' centres, metres."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.linalg.norm(first[:3] - second[:3]))


def rotation_angle(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """The angle between two rotations, 0..pi: arccos((trace(a^T b) - 1) / 2), clipped. Accurate to about 1e-8."""
    product = np.asarray(a, dtype=np.float64).T @ np.asarray(b, dtype=np.float64)
    return float(np.arccos(np.clip((np.trace(product) - 1) / 2, -1.0, 1.0)))


def moved_box(
    box: npt.ArrayLike, *, direction: str, centimetres: float, rotation: npt.ArrayLike | None = None
) -> FloatArray:
    """A 3D box moved along an axis: left, right (x), front, behind (z), above, below (y); unknown words move nothing.

    With a ``rotation`` the axis of index j is its column k, unsigned, where k is the row of the largest entry (by
    magnitude) of column j; two axes may so coincide. This is the official rule, kept for its numbers.
    """
    moved = np.array(box, dtype=np.float64)
    step = _STEPS.get(direction)
    if step is None:
        return moved
    axis, sign = step
    heading = np.eye(3)[axis]
    if rotation is not None:
        matrix = np.asarray(rotation, dtype=np.float64)
        heading = matrix[:, int(np.argmax(np.abs(matrix[:, axis])))]
    moved[:3] += sign * centimetres * _CENTIMETRE * heading
    return moved


def turned_about_y(
    rotation: npt.ArrayLike, *, degrees: float, direction: Literal["clockwise", "counterclockwise"]
) -> FloatArray:
    """A rotation matrix times the transpose of Ry(a), with a = ``degrees`` or, clockwise, 360 - ``degrees``.

    Raises ValueError for an angle outside 0..360 or another direction.
    """
    if not 0 <= degrees <= 360:
        raise ValueError(f"an angle must lie in 0..360 degrees, not {degrees}")
    if direction not in ("clockwise", "counterclockwise"):
        raise ValueError(f"a direction is clockwise or counterclockwise, not {direction!r}")
    angle = np.deg2rad(degrees if direction == "counterclockwise" else 360 - degrees)
    return np.asarray(np.asarray(rotation, dtype=np.float64) @ yaw_rotation(angle).T)
