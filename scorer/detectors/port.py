"""What the scorer asks of a detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scorer.contract import CameraData
from scorer.geometry import FloatArray

Image = npt.NDArray[np.uint8]
"""An RGB image, (height, width, 3), uint8."""

EVERYTHING = "*"
"""The target that asks for every object; the empty string means the same."""


@dataclass(frozen=True, eq=False)
class Detection:
    """One object found in an image. All numbers are finite.

    ``label``: the target as it was asked for; the bare colour word ("red") where everything was asked for.
    ``bbox_3d``: (7,) [x, y, z (centre, camera frame), w, h, l (metres), yaw (radians, (-pi, pi])].
    ``bbox_2d``: (4,) [x1, y1, x2, y2] in image pixels, inside the image.
    ``rotation_matrix``: (3, 3), object to camera frame. ``score``: confidence in [0, 1].
    """

    label: str
    bbox_3d: FloatArray
    bbox_2d: FloatArray
    rotation_matrix: FloatArray
    score: float


class Detector(Protocol):
    """Finds objects of a kind with their 3D boxes."""

    @property
    def name(self) -> str:
        """The version string that reports carry; it changes whenever results can."""
        ...

    @property
    def sees_everything(self) -> bool:
        """Whether it can be asked for every object, with :data:`EVERYTHING`."""
        ...

    def detect(self, *, image: Image, target: str, camera: CameraData) -> list[Detection]:
        """All objects that ``target`` names (``"*"`` or ``""``: all objects, where the detector
        sees everything), best score first.

        The camera's matrix projects to the image's own pixels. ``image`` may be any participant's picture: the answer
        is a list, empty where nothing was found.
        Raises ValueError only for an array that is not (height, width, 3) uint8.
        """
        ...
