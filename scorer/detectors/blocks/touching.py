"""Two objects of one colour that touch in the image: one region, cut in two at its notches."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from scorer.detectors.blocks.segmentation import Region, region_within

MIN_NOTCH = 2.5
"""Pixels that a notch reaches in from the convex hull."""
MIN_SHARE = 0.12
"""Of the outline that each part must keep."""


def halves(region: Region, shape: tuple[int, ...]) -> list[Region]:
    """The two parts of a region, or nothing where its outline has no notch to cut at."""
    ends = _cut(region.outline)
    if ends is None:
        return []
    first, last = sorted(ends)
    outlines = (region.outline[first : last + 1], np.concatenate([region.outline[last:], region.outline[: first + 1]]))
    parts = [region_within(outline, region.colour, shape) for outline in outlines]
    return [part for part in parts if part is not None] if None not in parts else []


def _cut(outline: npt.NDArray[np.int32]) -> tuple[int, int] | None:
    """Where a cut begins and ends, as rows of the outline: from its deepest notch to the best place across."""
    notches = _notches(outline)
    if not notches:
        return None
    start = max(notches, key=lambda row: notches[row])
    count = len(outline)
    rows = np.arange(count)
    along = np.minimum(np.abs(rows - start), count - np.abs(rows - start))
    across = np.linalg.norm(outline - outline[start], axis=1).astype(np.float64)
    for row, depth in notches.items():
        across[row] -= 2 * depth  # a second notch is a better end than a plain place a little nearer
    across[along < MIN_SHARE * count] = np.inf
    end = int(across.argmin())
    return (start, end) if np.isfinite(across[end]) else None


def _notches(outline: npt.NDArray[np.int32]) -> dict[int, float]:
    """Depth in pixels of each notch, by row of the outline."""
    if len(outline) < 8:
        return {}
    contour = outline.reshape(-1, 1, 2)
    try:
        defects: object = cv2.convexityDefects(contour, cv2.convexHull(contour, returnPoints=False))
    except cv2.error:  # outlines that cross themselves have no defects to speak of
        return {}
    if defects is None:
        return {}
    found = np.asarray(defects).reshape(-1, 4)
    return {int(row): depth / 256 for _, _, row, depth in found.tolist() if depth / 256 >= MIN_NOTCH}
