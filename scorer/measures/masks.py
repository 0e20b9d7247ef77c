"""Which pixels lie outside the boxes where an image was asked to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scorer.measures.msssim import REACH

Mask = npt.NDArray[np.bool_]


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
