"""How alike two looks are: a product of four factors, each 1 within what an honest edit changes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from scorer.blocks.camera import FloatArray
from scorer.judges.blocks.look import Look, marker_area

COLOUR_SLACK, COLOUR_SCALE = 0.03, 0.07
"""Of chromaticity, for the measurement that speaks best for the object: glare and blur never spoil all of them."""
SIDE_SLACK, SIDE_SCALE = 0.20, 0.15
"""Of chromaticity; a side turns to other light and other neighbours when the object does."""
TOP_SLACK, TOP_SCALE = 0.12, 0.30
UNEVENNESS_SLACK, UNEVENNESS_SCALE = 0.06, 0.15
BLUR_SLACK, BLUR_SCALE = 1.0, 3.0
"""Pixels that an outline may be softer than before, and how quickly more of it costs."""


class Likeness(NamedTuple):
    """Four factors in 0..1."""

    colour: float
    top: float
    evenness: float
    sharpness: float

    @property
    def overall(self) -> float:
        """Their product, 0..1."""
        return float(np.prod(self))

    @property
    def weakest(self) -> str:
        """The name of the smallest factor."""
        return min(zip(self._fields, self, strict=True), key=lambda pair: pair[1])[0]


def falling(excess: float, *, slack: float, scale: float) -> float:
    """1 up to ``slack``, then exp(-((excess - slack) / scale)^2)."""
    return float(np.exp(-(max(0.0, (excess - slack) / scale) ** 2)))


def compare(before: Look, after: Look) -> Likeness:
    """The likeness of two looks of one object."""
    side = _apart(before.side_colour, after.side_colour)
    distances = [float(np.linalg.norm(before.colour - after.colour)), _apart(before.top_colour, after.top_colour), side]
    colour = min(distance for distance in distances if distance is not None)
    more_uneven = max(0.0, after.unevenness - before.unevenness)
    return Likeness(
        colour=falling(colour, slack=COLOUR_SLACK, scale=COLOUR_SCALE)
        * falling(side or 0.0, slack=SIDE_SLACK, scale=SIDE_SCALE),
        top=falling(_top_difference(before, after), slack=TOP_SLACK, scale=TOP_SCALE),
        evenness=falling(more_uneven, slack=UNEVENNESS_SLACK, scale=UNEVENNESS_SCALE),
        sharpness=falling(_softer(before, after), slack=BLUR_SLACK, scale=BLUR_SCALE),
    )


def _apart(before: FloatArray | None, after: FloatArray | None) -> float | None:
    return None if before is None or after is None else float(np.linalg.norm(before - after))


def _top_difference(before: Look, after: Look) -> float:
    """Mean absolute difference of the tops: marker and plain part count the same, the marker's edge not at all."""
    if before.top is None or after.top is None:
        return 0.0
    difference = np.abs(before.top - after.top).mean(axis=2)
    inside, outside = marker_area(grown=-0.04), ~marker_area(grown=0.06)
    scale = float(before.top[inside].mean()) if inside.any() else 1.0
    return float(difference[inside].mean() / max(scale, 1.0) + difference[outside].mean()) / 2


def _softer(before: Look, after: Look) -> float:
    if before.edge_width is None:
        return 0.0
    if after.edge_width is None:
        return BLUR_SLACK + 2 * BLUR_SCALE
    return after.edge_width - before.edge_width
