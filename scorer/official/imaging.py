"""How the official evaluation prepares two images for comparison, and the frame in which its boxes live.

An image is scaled so that its longest side is 896 pixels and cut, from the centre, to multiples of 14: the *frame*, in
which the detector works and gives its rectangles. For comparison the frame is normalised, padded to 896x896 at the
right and bottom, cut to the *original's* height and width, and the normalisation is undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as f
from PIL import Image as PillowImage
from torch import Tensor

from scorer.geometry import FloatArray

Image = npt.NDArray[np.uint8]
"""An RGB image, (height, width, 3), uint8."""

LONGEST = 896
PATCH = 14
MEAN = (123.675, 116.28, 103.53)
"""Of ImageNet, red, green, blue, 0..255; padding has this colour."""
DEVIATION = (58.395, 57.12, 57.375)

Order = Literal["rgb", "bgr"]
Resampling = Literal["pillow-bicubic", "opencv-linear"]
_CHANNELS: Mapping[Order, tuple[int, int, int]] = {"rgb": (0, 1, 2), "bgr": (2, 1, 0)}


class UnmeasurableError(ValueError):
    """An image pair that the official evaluation ends with an error on; the message says why."""


@dataclass(frozen=True)
class Frame:
    """Where the pixels of an image lie in its frame. All sizes are (height, width) in pixels.

    ``original``: of the image; ``scaled``: after scaling; ``cut``: of the frame; ``start``: the (row, column) of the
    scaled image at which the frame begins. Coordinates are continuous, pixel i covering [i, i + 1]:
    x_frame = x * scaled width / original width - start column.
    """

    original: tuple[int, int]
    scaled: tuple[int, int]
    cut: tuple[int, int]
    start: tuple[int, int]

    @classmethod
    def of(cls, height: int, width: int) -> Frame:
        """The frame of an image of that size. Raises ValueError for an empty image."""
        if min(height, width) < 1:
            raise ValueError(f"an image has at least one pixel: {height} x {width}")
        scale = LONGEST / max(height, width)
        scaled = (int(height * scale + 0.5), int(width * scale + 0.5))
        cut = (scaled[0] // PATCH * PATCH, scaled[1] // PATCH * PATCH)
        start = (scaled[0] // 2 - cut[0] // 2, scaled[1] // 2 - cut[1] // 2)
        return cls((height, width), scaled, cut, start)

    @property
    def compared(self) -> tuple[int, int]:
        """The (height, width) of the processed image: the original's, at most 896 a side."""
        return min(self.original[0], LONGEST), min(self.original[1], LONGEST)

    @property
    def matrix(self) -> FloatArray:
        """Homogeneous pixel coordinates (x, y, 1) of the original to those of the frame, (3, 3)."""
        sy, sx = self.scaled[0] / self.original[0], self.scaled[1] / self.original[1]
        return np.array([[sx, 0.0, -self.start[1]], [0.0, sy, -self.start[0]], [0.0, 0.0, 1.0]])

    def intrinsics(self, matrix: npt.ArrayLike) -> list[list[float]]:
        """For the original's pixels, of a camera matrix (3, 3) that projects into the frame, as edit JSONs hold it."""
        found = np.linalg.inv(self.matrix) @ np.asarray(matrix, dtype=np.float64)
        return [[float(value) for value in row] for row in found]

    def to_frame(self, box: npt.ArrayLike) -> FloatArray:
        """A 2D box [x1, y1, x2, y2] of the original in the frame, not clipped."""
        return _mapped(self.matrix, box)

    def to_original(self, box: npt.ArrayLike) -> FloatArray:
        """A 2D box of the frame in the original's pixels, not clipped."""
        return _mapped(np.asarray(np.linalg.inv(self.matrix), dtype=np.float64), box)


def _mapped(matrix: FloatArray, box: npt.ArrayLike) -> FloatArray:
    corners = np.asarray(box, dtype=np.float64).reshape(2, 2)
    return np.asarray((corners @ matrix[:2, :2].T + matrix[:2, 2]).reshape(4))


def fitted(edited: Image, *, height: int, width: int, by: Resampling = "pillow-bicubic") -> Image:
    """An edited image at the original's size; untouched where it has that size already.

    The official program resizes by Pillow's default; its locality function, called alone, by OpenCV's.
    """
    if edited.shape[:2] == (height, width):
        return edited
    if by == "opencv-linear":
        return np.asarray(cv2.resize(edited, (width, height)), dtype=np.uint8)
    return np.asarray(PillowImage.fromarray(edited).resize((width, height)), dtype=np.uint8)


def processed(image: Image, *, order: Order = "bgr") -> Tensor:
    """An image as the official evaluation compares it: (3, height, width) float32, about 0..255.

    Official: channels blue, green, red, and the window of ``Frame.compared`` at the left top of the padded frame.
    Normalising and undoing it leaves rounding of about 1e-5, which is part of the result (an all black image is not
    constant any more).
    Raises UnmeasurableError where scaling leaves no pixel of the short side.
    """
    frame = Frame.of(*image.shape[:2])
    if min(frame.scaled) < 1:
        raise UnmeasurableError(
            f"an image of {frame.original[1]} x {frame.original[0]} pixels is too thin to be scaled"
        )
    channels = _CHANNELS[order]
    mean, deviation = (torch.tensor([values[c] for c in channels]).view(3, 1, 1) for values in (MEAN, DEVIATION))
    x = _cut(_scaled(image, size=frame.scaled, channels=channels), frame)
    x = x.sub_(mean).div_(deviation).mul_(deviation).add_(mean)
    return _windowed(x, size=frame.compared, colour=mean)


def whole(image: Image, *, order: Order = "rgb") -> Tensor:
    """The whole image (3, height, width) float32, 0..255: scaled down to 896 pixels where a side is longer.

    Neither enlarged, cut nor padded: what the official evaluation should have compared.
    """
    channels = _CHANNELS[order]
    height, width = whole_size(*image.shape[:2])
    if (height, width) == image.shape[:2]:
        return _planes(image, channels)[0]
    return _scaled(image, size=(height, width), channels=channels)


def whole_size(height: int, width: int) -> tuple[int, int]:
    """The (height, width) of :func:`whole` for an image of that size."""
    scale = min(1.0, LONGEST / max(height, width))
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def _scaled(image: Image, *, size: tuple[int, int], channels: tuple[int, int, int]) -> Tensor:
    """(3, height, width) float32 of that size, in that order of channels: antialiased bilinear."""
    x = _planes(image, channels)
    return f.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=True)[0]


def _planes(image: Image, channels: tuple[int, int, int]) -> Tensor:
    """(1, 3, height, width) float32 in that order of channels."""
    planes = cv2.split(image)
    x = torch.empty((1, 3, *image.shape[:2]))
    for target, channel in zip(x[0], channels, strict=True):
        target.copy_(torch.from_numpy(planes[channel]))
    return x


def _cut(x: Tensor, frame: Frame) -> Tensor:
    (top, left), (height, width) = frame.start, frame.cut
    return x[:, top : top + height, left : left + width]


def _windowed(x: Tensor, *, size: tuple[int, int], colour: Tensor) -> Tensor:
    """The left top window of the frame, with ``colour`` where the frame ends before it."""
    height, width = min(size[0], x.shape[1]), min(size[1], x.shape[2])
    window = colour.expand(3, *size).clone()
    window[:, :height, :width] = x[:, :height, :width]
    return window
