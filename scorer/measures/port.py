"""What the scorer asks of a perceptual distance: features of an image, and the mean distance of two over a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class Perceptual(Protocol):
    """How different two images look. The features of an original can be kept, so that each costs only once."""

    @property
    def name(self) -> str:
        """The version string that reports carry; it changes whenever results can."""
        ...

    @property
    def sha256(self) -> str | None:
        """The hash of the file of weights; None where there are none."""
        ...

    def features(self, images: Tensor) -> list[Tensor]:
        """Of images (n, 3, height, width), float, in [-1, 1], sides of at least 31 pixels."""
        ...

    def mean_distance(self, one: Sequence[Tensor], other: Sequence[Tensor], *, kept: Tensor) -> Tensor:
        """The mean (n,), not negative, over the kept pixels; ``kept``: (height, width) bool; 0 where none is kept."""
        ...
