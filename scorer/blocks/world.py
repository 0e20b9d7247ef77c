"""Public conventions of the Blocks world: colours, cuboids, the marker, the sense of rotation, labels.

A cuboid has size (w, h, l) along its local x, y and z and stands on the ground; its yaw psi turns it about the
vertical with ``Ry(psi) = [[c, 0, s], [0, 1, 0], [-s, 0, c]]`` in the level frame (x right, y down, z forward).
Its front is local -z. Seen from above, with forward up the page and right to the right, ``Ry(psi)`` takes forward
(0, 0, 1) to (sin psi, 0, cos psi): a positive yaw turns **clockwise**.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scorer.blocks.camera import Camera, FloatArray

CLOCKWISE_YAW_SIGN = 1
"""The sign of a yaw change that is clockwise seen from above."""


class Colour(NamedTuple):
    """An 8-bit sRGB colour."""

    red: int
    green: int
    blue: int


COLOURS = MappingProxyType(
    {
        "red": Colour(196, 28, 36),
        "orange": Colour(236, 112, 12),
        "yellow": Colour(232, 206, 24),
        "green": Colour(40, 150, 44),
        "teal": Colour(12, 158, 158),
        "blue": Colour(34, 72, 196),
        "purple": Colour(136, 40, 172),
    }
)
"""The surface colour of every kind of object; hues lie at least 24 degrees apart."""

MARKER_COLOUR = Colour(240, 240, 240)
MARKER_X = (-0.35, 0.35)
"""The marker's extent along local x, in widths."""
MARKER_Z = (-0.42, -0.18)
"""The marker's extent along local z, in lengths: near the front edge of the top face."""

TABLETOP_CATEGORIES = ("block",)
ROOM_CATEGORIES = ("cabinet", "crate", "bench", "chest")

CORNER_SIGNS: FloatArray = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]) / 2
"""The eight corners of a unit cuboid, (8, 3); y = -1/2 is the top."""
CORNER_SIGNS.setflags(write=False)


def yaw_matrix(yaw: float) -> FloatArray:
    """Ry(yaw), 3x3, for a yaw in radians; positive is clockwise seen from above."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def wrap_angle(angle: float) -> float:
    """The same angle in (-pi, pi], radians."""
    return float(np.pi - (np.pi - angle) % (2 * np.pi))


def box_vertices(bbox_3d: npt.ArrayLike, rotation_matrix: npt.ArrayLike) -> FloatArray:
    """The corners (8, 3) of a box [x, y, z, w, h, l, yaw] turned by a 3x3 matrix, in the box's frame, metres."""
    box = np.asarray(bbox_3d, dtype=np.float64)
    return np.asarray((CORNER_SIGNS * box[3:6]) @ np.asarray(rotation_matrix, dtype=np.float64).T + box[:3])


def marker_corners(size: npt.ArrayLike) -> FloatArray:
    """The marker's corners (4, 3) on the top face in local coordinates of a cuboid of size (w, h, l), metres."""
    w, h, length = np.asarray(size, dtype=np.float64)
    (x0, x1), (z0, z1) = MARKER_X, MARKER_Z
    return np.array([[x * w, -h / 2, z * length] for x, z in ((x0, z0), (x1, z0), (x1, z1), (x0, z1))])


class PlacedBox(NamedTuple):
    """A box in the camera frame: ``bbox_3d`` (7,) [x, y, z, w, h, l, yaw], ``rotation_matrix`` (3, 3)."""

    bbox_3d: FloatArray
    rotation_matrix: FloatArray


def standing_box(*, camera: Camera, x: float, z: float, yaw: float, size: npt.ArrayLike) -> PlacedBox:
    """The box of a cuboid standing on the ground at level position (x, z), in the camera frame.

    ``yaw`` in radians is kept in (-pi, pi]; ``size`` is (w, h, l) in metres.
    """
    w, h, length = (float(v) for v in np.asarray(size, dtype=np.float64))
    centre = camera.to_camera([x, camera.height - h / 2, z])
    yaw = wrap_angle(yaw)
    return PlacedBox(np.array([*centre, w, h, length, yaw]), camera.rotation @ yaw_matrix(yaw))


def colour_of(label: str) -> str | None:
    """The colour word in a label such as "red block", or None where it names none of ours."""
    return next((word for word in label.lower().split() if word in COLOURS), None)
