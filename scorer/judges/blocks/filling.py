"""Whether the place of a removed object was filled as if it had never been there."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from scorer.blocks.camera import Camera
from scorer.blocks.world import box_vertices
from scorer.detectors.port import Detection, Image
from scorer.judges.blocks.comparison import falling

GROWN = 3
SURROUNDINGS = 24
"""Pixels around the object's place that the filling is expected to continue."""
STEP_SLACK, STEP_SCALE = 10.0, 30.0
"""Grey levels between the filling and the surroundings continued inwards."""
GRAIN_SLACK, GRAIN_SCALE = 5.0, 14.0
"""Grey levels that the filling may be grainier than its surroundings."""
GHOST_SLACK, GHOST_SCALE = 0.01, 0.10
"""Share of the place that still shows strong colour."""
VIVID = 30


class Filling(NamedTuple):
    """Three factors in 0..1: it continues the surroundings, it has their grain, nothing colourful is left."""

    continuity: float
    grain: float
    ghost: float

    @property
    def overall(self) -> float:
        """Their product, 0..1."""
        return float(np.prod(self))

    @property
    def weakest(self) -> str:
        """The name of the smallest factor."""
        return min(zip(self._fields, self, strict=True), key=lambda pair: pair[1])[0]


def judge_filling(edited: Image, removed: Detection, camera: Camera) -> Filling | None:
    """Judge the place where a detection was; None where it was not in the image."""
    outline = camera.project(box_vertices(removed.bbox_3d, removed.rotation_matrix))
    if not np.isfinite(outline).all():
        return None
    place = _place(outline, edited.shape[:2])
    if not place.any() or place.all():
        return None
    ys, xs = np.nonzero(place)
    rows = slice(max(int(ys.min()) - SURROUNDINGS, 0), int(ys.max()) + SURROUNDINGS + 1)
    columns = slice(max(int(xs.min()) - SURROUNDINGS, 0), int(xs.max()) + SURROUNDINGS + 1)
    return _compared(edited[rows, columns], place[rows, columns])


def _place(outline: npt.NDArray[np.float64], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    canvas = np.zeros(shape, dtype=np.uint8)
    limited = np.clip(outline - 0.5, -2000, 4000)
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.round(limited).astype(np.int32)), 1)
    kernel = np.ones((2 * GROWN + 1, 2 * GROWN + 1), dtype=np.uint8)
    return np.asarray(cv2.dilate(canvas, kernel) > 0)


def _compared(crop: Image, place: npt.NDArray[np.bool_]) -> Filling | None:
    around = ~place
    if around.sum() < 20:
        return None
    expected = _continued(crop, place)
    soft = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), 3)
    step = float(np.abs(soft - expected)[place].mean())
    chroma = crop.max(axis=2).astype(np.float64) - crop.min(axis=2)
    usual = float(np.median(chroma[around]))
    ghost = float((chroma[place] > usual + VIVID).mean())
    return Filling(
        continuity=falling(step, slack=STEP_SLACK, scale=STEP_SCALE),
        grain=falling(max(0.0, _grain(crop, place) - _grain(crop, around)), slack=GRAIN_SLACK, scale=GRAIN_SCALE),
        ghost=falling(ghost, slack=GHOST_SLACK, scale=GHOST_SCALE),
    )


def _continued(crop: Image, place: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """The surroundings continued inwards: their Gaussian average, from far wherever nothing is near."""
    weight = (~place).astype(np.float32)
    total = np.zeros(crop.shape, dtype=np.float32)
    known = np.zeros(place.shape, dtype=np.float32)
    for sigma in (4.0, 12.0, 36.0):
        share = cv2.GaussianBlur(weight, (0, 0), sigma)
        mean = cv2.GaussianBlur(crop.astype(np.float32) * weight[..., None], (0, 0), sigma)
        trust = np.clip(share * 4, 0, 1) * (1 - known)
        total += mean / np.maximum(share, 1e-4)[..., None] * trust[..., None]
        known += trust
    return np.asarray(total / np.maximum(known, 1e-4)[..., None])


def _grain(crop: Image, area: npt.NDArray[np.bool_]) -> float:
    """The median size of fine detail in an area, grey levels."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 2))
    return float(np.percentile(detail[area], 75))
