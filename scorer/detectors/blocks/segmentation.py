"""Regions of one saturated colour: where cuboids may be.

Ground, walls and decoration of the Blocks world are nearly grey, cuboids are strongly coloured. Saturation and hue
do not change with the strength of the light, so one threshold serves all faces of a cuboid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from scorer.blocks.camera import FloatArray
from scorer.blocks.world import COLOURS
from scorer.detectors.port import Image

MIN_SATURATION = 0.42
MIN_CHROMA = 22.0
"""Grey levels between the strongest and the weakest channel, of 255."""
HUE_TOLERANCE = 26.0
"""Degrees from a colour's hue; neighbours share what lies between them."""
SOFTENING = 0.8
"""Standard deviation in pixels of the Gaussian that quiets noise and compression."""
MAX_TINT = 1.6
"""How far the surroundings' channels may lie from grey and still be taken for surroundings."""
MIN_AREA = 60
MIN_EXTENT = 8
MAX_REGIONS = 20
"""The largest regions are kept: a picture full of confetti must not take all day."""

_KERNEL = np.ones((3, 3), dtype=np.uint8)


class Window(NamedTuple):
    """A half-open rectangle of pixels."""

    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, eq=False)
class Region:
    """A connected region of one colour.

    ``outline``: (n, 2) indices of its border pixels in turn. ``hull``: (m, 2) convex hull of its pixel centres, in
    image pixels. ``window``: its pixels' bounding rectangle. ``area``: square pixels. ``solidity``: area (holes filled)
    over the hull's. ``cut``: it touches the image's border.
    """

    colour: str
    outline: npt.NDArray[np.int32]
    hull: FloatArray
    window: Window
    area: float
    solidity: float
    cut: bool


def _hue(colour: tuple[int, int, int]) -> float:
    pixel = np.array([[colour]], dtype=np.float32) / 255
    return float(cv2.cvtColor(pixel, cv2.COLOR_RGB2HSV)[0, 0, 0])


def hue_classes() -> npt.NDArray[np.uint8]:
    """For each whole degree of hue (361 entries): 1 + the index of its colour in COLOURS, or 0."""
    hues = np.array([_hue(colour) for colour in COLOURS.values()])
    degrees = np.arange(361.0)
    distance = np.abs((degrees[:, None] - hues + 180) % 360 - 180)
    nearest = distance.argmin(axis=1)
    return np.where(distance.min(axis=1) <= HUE_TOLERANCE, nearest + 1, 0).astype(np.uint8)


def colour_classes(image: Image) -> npt.NDArray[np.uint8]:
    """For each pixel 1 + the index of its colour in COLOURS, or 0 where it is too grey or of another hue; (h, w)."""
    soft = cv2.GaussianBlur(image, (0, 0), SOFTENING).astype(np.float32)
    vivid = _saturated(soft)
    tint = _tint(soft[~vivid])
    vivid &= _saturated(soft / tint)
    hue = cv2.cvtColor(soft / np.float32(255), cv2.COLOR_RGB2HSV)[..., 0]
    degrees = np.clip(np.nan_to_num(hue), 0, 360).round().astype(np.int64)
    return np.where(vivid, hue_classes()[degrees], 0).astype(np.uint8)


def _saturated(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    high, low = pixels.max(axis=-1), pixels.min(axis=-1)
    return np.asarray((high - low > MIN_CHROMA) & (high - low > MIN_SATURATION * high))


def _tint(surroundings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The surroundings' median colour over its own mean, (3,): warm light on wood is no orange object."""
    if len(surroundings) < MIN_AREA:
        return np.ones(3, dtype=np.float32)
    colour = np.median(surroundings[::7], axis=0) + 1
    return np.asarray(np.clip(colour / colour.mean(), 1 / MAX_TINT, MAX_TINT), dtype=np.float32)


def segment(image: Image) -> list[Region]:
    """The coloured regions of an image, largest first, at most MAX_REGIONS."""
    classes = colour_classes(image)
    regions = [
        region
        for index, colour in enumerate(COLOURS)
        for region in _components((classes == index + 1).astype(np.uint8), colour)
    ]
    return sorted(regions, key=lambda region: -region.area)[:MAX_REGIONS]


def _components(mask: npt.NDArray[np.uint8], colour: str) -> list[Region]:
    """Connected parts with some body to them; thin strips count where they are attached (beside a marker, say)."""
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _KERNEL)
    opened = cv2.morphologyEx(joined, cv2.MORPH_OPEN, _KERNEL)
    count, found, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    labels = np.asarray(found, dtype=np.int32)
    solid = np.bincount(labels[opened > 0], minlength=count) >= MIN_AREA // 2
    solid[0] = False
    largest = sorted(np.flatnonzero(solid), key=lambda label: -int(stats[label, cv2.CC_STAT_AREA]))[:MAX_REGIONS]
    regions = (_region(labels, np.asarray(stats[label]), int(label), colour) for label in largest)
    return [region for region in regions if region is not None]


def _region(labels: npt.NDArray[np.int32], stat: npt.NDArray[np.integer], label: int, colour: str) -> Region | None:
    x, y, width, height, area = (int(v) for v in stat)
    if area < MIN_AREA or max(width, height) < MIN_EXTENT or min(width, height) < 3:
        return None
    part = (labels[y : y + height, x : x + width] == label).astype(np.uint8)
    contours, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(x, y))
    return region_within(max(contours, key=len), colour, labels.shape)


def region_within(outline: npt.NDArray[np.integer], colour: str, shape: tuple[int, ...]) -> Region | None:
    """The region that an outline (n, 2) or (n, 1, 2) of pixel indices encloses, or None where it has no body."""
    border = np.asarray(outline, dtype=np.int32).reshape(-1, 2)
    hull = cv2.convexHull(border)
    hull_area, area = cv2.contourArea(hull), cv2.contourArea(border)
    if hull_area < MIN_AREA / 2:
        return None
    low, high = border.min(axis=0), border.max(axis=0) + 1
    window = Window(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    return Region(
        colour=colour,
        outline=border,
        hull=hull.reshape(-1, 2).astype(np.float64) + 0.5,
        window=window,
        area=float(area),
        solidity=float(min(1.0, area / hull_area)),
        cut=bool((low <= 1).any() or window.x1 >= shape[1] - 1 or window.y1 >= shape[0] - 1),
    )
