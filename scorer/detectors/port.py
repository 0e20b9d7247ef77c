"""What the scorer asks of a detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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
    """One object found in an image. A network may answer with numbers that are not finite; profiles say what follows.

    ``label``: the target as it was asked for; the bare colour word ("red") where everything was asked for.
    ``bbox_3d``: (7,) [x, y, z (centre, camera frame), w, h, l (metres), yaw (radians, [-pi, pi])].
    ``bbox_2d``: (4,) [x1, y1, x2, y2] in pixels of the image, whatever frame a detector works in. It may reach over the
    image's edge: the official rules compare the four numbers as they were found.
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
        sees everything), in the detector's own order, which the official rules read.

        The camera's matrix projects to the image's own pixels. ``image`` may be any participant's picture: the answer
        is a list, empty where nothing was found.
        Raises ValueError for an array that is not (height, width, 3) uint8, and ScorerError where the installation or
        the benchmark is at fault; never for what a participant sent.
        """
        ...


@runtime_checkable
class Learned(Detector, Protocol):
    """A detector with weights. Asking it is costly, so what it found in an original is kept for later runs."""

    @property
    def weights(self) -> Mapping[str, str]:
        """The sha256 of every file that decides its answers, by name."""
        ...

    def provenance(self) -> dict[str, str]:
        """Whatever else can change an answer (code, device, precision), as ``detector_*``, for the report."""
        ...
