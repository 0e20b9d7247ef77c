"""Edit locality: how far the image changed outside the boxes where it was asked to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scorer.measures.msssim import REACH, Comparison

LEAST_KEPT = 0.1
"""The part of the image that must remain outside the boxes for anything to be said about it."""

Mask = npt.NDArray[np.bool_]


class Locality(NamedTuple):
    """Means over the kept pixels. ``similarity``: SSIM, -1..1; ``distance``: 0..1; ``kept``: their part of the image.

    Where less than ``LEAST_KEPT`` is kept, nothing can be said: similarity 0 and distance 1.
    """

    similarity: float
    distance: float
    kept: float


def outside(boxes: Sequence[npt.ArrayLike], *, height: int, width: int, margin: int = REACH) -> Mask:
    """A mask (height, width), true outside every 2D box [x1, y1, x2, y2] widened by ``margin`` pixels on all sides.

    A pixel is inside a box when any part of it is. Boxes may reach over the image's border.
    """
    kept = np.ones((height, width), dtype=np.bool_)
    for box in boxes:
        x1, y1, x2, y2 = (float(v) for v in np.asarray(box, dtype=np.float64))
        left, right = _span(x1 - margin, x2 + margin, size=width)
        top, bottom = _span(y1 - margin, y2 + margin, size=height)
        kept[top:bottom, left:right] = False
    return kept


class _Span(NamedTuple):
    start: int
    stop: int


def _span(low: float, high: float, *, size: int) -> _Span:
    return _Span(int(np.clip(np.floor(low), 0, size)), int(np.clip(np.ceil(high), 0, size)))


def locality(comparison: Comparison, *, kept: Mask) -> Locality:
    """Reduce the maps of a comparison over the kept pixels. Raises ValueError for shapes that differ."""
    if comparison.distance.shape != kept.shape:
        raise ValueError(f"the mask {kept.shape} does not fit the image {comparison.distance.shape}")
    part = float(kept.mean())
    if part < LEAST_KEPT:
        return Locality(similarity=0.0, distance=1.0, kept=part)
    return Locality(
        similarity=float(comparison.similarity[kept].mean()),
        distance=float(comparison.distance[kept].mean()),
        kept=part,
    )
