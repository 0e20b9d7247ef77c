"""The Blocks camera: a pinhole without distortion or roll, pitched down towards a flat ground.

Two right-handed frames share the camera's centre (metres):

* camera frame C: x right, y down, z along the optical axis;
* level frame L: gravity aligned, x right, y straight down, z horizontal and forward. The ground is ``y_L = height``.

``p_C = R_CL p_L`` with a rotation about x by the pitch; a positive pitch looks down. Pixel centres lie at
integer + 0.5, so an image of width W and height H spans [0, W] x [0, H].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scorer.contract import CameraData
from scorer.errors import BenchmarkError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Camera:
    """Public camera data of one image.

    ``intrinsics``: 3x3 matrix K in pixels. ``pitch``: radians, positive looks down. ``height``: metres above ground.

    Raises ValueError for a matrix of another shape, a non-positive focal length, or any value that is not finite.
    """

    intrinsics: FloatArray
    pitch: float
    height: float

    def __post_init__(self) -> None:
        matrix = np.array(self.intrinsics, dtype=np.float64)
        if matrix.shape != (3, 3):
            raise ValueError(f"camera intrinsics must be a 3x3 matrix, not {matrix.shape}")
        if not (np.isfinite(matrix).all() and np.isfinite([self.pitch, self.height]).all()):
            raise ValueError("camera intrinsics, pitch and height must be finite numbers")
        if matrix[0, 0] <= 0 or matrix[1, 1] <= 0 or self.height <= 0:
            raise ValueError("focal lengths and camera height must be positive")
        matrix.setflags(write=False)
        object.__setattr__(self, "intrinsics", matrix)

    @classmethod
    def of(cls, *, intrinsics: Sequence[Sequence[float]], pitch: float, height: float) -> Camera:
        """Build a camera from the plain numbers of a benchmark manifest."""
        return cls(intrinsics=np.array(intrinsics, dtype=np.float64), pitch=pitch, height=height)

    @classmethod
    def of_data(cls, data: CameraData) -> Camera:
        """The camera of a sample. Raises BenchmarkError where pitch or height is not stated."""
        if data.pitch is None or data.height is None:
            raise BenchmarkError("the benchmark does not state the camera's pitch and height, which Blocks needs")
        return cls.of(intrinsics=data.intrinsics, pitch=data.pitch, height=data.height)

    @property
    def data(self) -> CameraData:
        """This camera as the manifest of a benchmark states it."""
        return CameraData(intrinsics=self.intrinsics.tolist(), pitch=self.pitch, height=self.height)

    @property
    def rotation(self) -> FloatArray:
        """R_CL, the 3x3 matrix that takes level coordinates to camera coordinates."""
        return level_to_camera_rotation(pitch=self.pitch)

    def to_camera(self, points: npt.ArrayLike) -> FloatArray:
        """Level coordinates (..., 3) in camera coordinates (..., 3)."""
        return np.asarray(np.asarray(points, dtype=np.float64) @ self.rotation.T)

    def to_level(self, points: npt.ArrayLike) -> FloatArray:
        """Camera coordinates (..., 3) in level coordinates (..., 3)."""
        return np.asarray(np.asarray(points, dtype=np.float64) @ self.rotation)

    def project(self, points: npt.ArrayLike) -> FloatArray:
        """Pixels (..., 2) of points (..., 3) in the camera frame; NaN for points behind the camera."""
        homogeneous = np.asarray(points, dtype=np.float64) @ self.intrinsics.T
        depth = homogeneous[..., 2:]
        safe = np.where(depth > 0, depth, np.nan)
        return np.asarray(homogeneous[..., :2] / safe)

    def rays(self, pixels: npt.ArrayLike) -> FloatArray:
        """Directions (..., 3) in the level frame through pixels (..., 2), not normalised (z_C = 1)."""
        plane = np.asarray(pixels, dtype=np.float64)
        homogeneous = np.concatenate([plane, np.ones_like(plane[..., :1])], axis=-1)
        return self.to_level(homogeneous @ np.linalg.inv(self.intrinsics).T)

    def on_plane(self, pixels: npt.ArrayLike, *, above_ground: float = 0.0) -> FloatArray:
        """Level coordinates (..., 3) where the rays through pixels (..., 2) meet the plane ``above_ground`` metres up.

        NaN for pixels at or above that plane's horizon.
        """
        directions = self.rays(pixels)
        down = directions[..., 1:2]
        drop = self.height - above_ground
        reach = np.where(down * np.sign(drop) > 1e-9, drop / np.where(down == 0, np.nan, down), np.nan)
        return np.asarray(directions * reach)


def level_to_camera_rotation(*, pitch: float) -> FloatArray:
    """R_CL for a pitch in radians (positive looks down)."""
    c, s = np.cos(pitch), np.sin(pitch)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])
