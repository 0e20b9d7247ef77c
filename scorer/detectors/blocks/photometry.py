"""Poses refined on pixels: draw the cuboid, compare, correct.

The compared quantity is how strongly a pixel shows the object's own colour: linear light projected on the direction of
that colour after the grey part was taken away. The ground and the white marker are near 0 whatever the light; each
face has one unknown level. Levels and pose are found together by damped Gauss-Newton.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from scorer.blocks.camera import Camera, FloatArray
from scorer.blocks.world import COLOURS
from scorer.detectors.blocks.pose import bounded, project_points, turned
from scorer.detectors.blocks.rendering import MARKER, SingleArray, masks, pixel_grid
from scorer.detectors.blocks.segmentation import SOFTENING, Region
from scorer.detectors.port import Image

MARGIN = 6
"""Pixels of surroundings that are compared too."""
MAX_PIXELS = 6000
"""Larger objects are compared on every second, third ... pixel."""
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
STEPS = 6
PROBE = 0.5
"""Pixels that a corner moves when a derivative is measured."""


def linear_light(image: Image) -> SingleArray:
    """The softened image in linear light, (h, w, 3), 0..1."""
    levels = np.arange(256, dtype=np.float32) / 255
    table = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(table[image], (0, 0), SOFTENING))


def colour_direction(colour: str) -> SingleArray:
    """The unit vector (3,) along which a colour of the world differs from grey, in linear light."""
    pixel = np.array([[COLOURS[colour]]], dtype=np.uint8)
    vector = linear_light(pixel)[0, 0]
    vector = vector - vector.mean()
    return np.asarray(vector / np.linalg.norm(vector))


@dataclass(frozen=True, eq=False)
class Patch:
    """The pixels that one object is compared on.

    ``grid``: homogeneous pixel centres (3, n). ``values``: how strongly they show the object's colour (n,).
    ``brightness``: their luminance (n,), linear light.
    """

    grid: SingleArray
    values: SingleArray
    brightness: SingleArray


class Match(NamedTuple):
    """A pose (6,), its levels (5,) [ground, top, side, side, marker less top] and its mean squared error."""

    pose: FloatArray
    levels: FloatArray
    error: float


def cut_patch(light: SingleArray, region: Region, others: list[Region]) -> Patch:
    """The region and its surroundings, without the pixels that belong to other regions."""
    height, width = light.shape[:2]
    x0, y0 = max(region.window.x0 - MARGIN, 0), max(region.window.y0 - MARGIN, 0)
    x1, y1 = min(region.window.x1 + MARGIN, width), min(region.window.y1 + MARGIN, height)
    wanted = _filled(region, x0, y0, x1, y1, MARGIN)
    for other in others:
        window = other.window
        if window.x0 - 2 < x1 and window.x1 + 2 > x0 and window.y0 - 2 < y1 and window.y1 + 2 > y0:
            wanted &= ~_filled(other, x0, y0, x1, y1, 2) | _filled(region, x0, y0, x1, y1, 0)
    ys, xs = np.nonzero(wanted)
    stride = int(np.ceil(np.sqrt(len(xs) / MAX_PIXELS))) if len(xs) else 1
    if stride > 1:
        kept = (xs % stride == 0) & (ys % stride == 0)
        xs, ys = xs[kept], ys[kept]
    pixels = light[ys + y0, xs + x0]
    values = np.asarray(pixels @ colour_direction(region.colour), dtype=np.float32)
    return Patch(pixel_grid(xs + x0, ys + y0), values, np.asarray(pixels @ LUMINANCE))


def _filled(region: Region, x0: int, y0: int, x1: int, y1: int, grown: int) -> npt.NDArray[np.bool_]:
    canvas = np.zeros((y1 - y0, x1 - x0), dtype=np.uint8)
    corners = np.round(region.hull - 0.5 - (x0, y0)).astype(np.int32)
    cv2.fillConvexPoly(canvas, corners, 1)
    if grown:
        return np.asarray(cv2.dilate(canvas, np.ones((2 * grown + 1, 2 * grown + 1), dtype=np.uint8)) > 0)
    return np.asarray(canvas > 0)


class Front(NamedTuple):
    """The match with its front where the marker is; ``evidence``: the share of the inside's variation it explains."""

    match: Match
    evidence: float


def best_front(pose: FloatArray, camera: Camera, patch: Patch) -> Front:
    """The pose, turned by the quarters that put the marker where the pixels show one.

    A marker takes colour away and adds brightness; both are looked for inside the silhouette only, because brightness
    is sharp even where an image format blurs colour, but says nothing about the surroundings.
    """
    poses = np.stack([turned(pose, quarters) for quarters in range(4)])
    drawn = masks(poses, camera, patch.grid)
    ratios = np.array([_marker_ratio(mask, patch) for mask in drawn])
    chosen = int(ratios.argmin())
    return Front(_levelled(poses[chosen], drawn[chosen], patch), float(1 - ratios[chosen]))


def _marker_ratio(drawn: SingleArray, patch: Patch) -> float:
    """What remains of the inside's unexplained variation when the marker is drawn, geometric mean of both channels."""
    inside = drawn[:MARKER].sum(axis=0) > 0.9
    if inside.sum() < 8 or not drawn[MARKER].any():
        return 1.0
    rows = drawn[:, inside].astype(np.float64)
    ratios = [_explained(rows, channel[inside], sign) for channel, sign in ((patch.values, -1), (patch.brightness, 1))]
    return float(np.sqrt(np.prod(ratios)))


def _explained(rows: FloatArray, values: SingleArray, sign: int) -> float:
    levels = _solve(rows, values)
    if levels[MARKER] * sign <= 0:
        return 1.0
    plain = rows[:MARKER]
    without = np.square(_solve(plain, values) @ plain - values).sum()
    return float(min(1.0, (np.square(levels @ rows - values).sum() + 1e-12) / (without + 1e-12)))


def refine(start: Match, camera: Camera, patch: Patch) -> Match:
    """The match improved on the patch; never a worse one."""
    best, damping = start, 1e-3
    for _ in range(STEPS):
        trial = _step(best, camera, patch, damping)
        if trial.error < best.error:
            settled = trial.error > best.error * 0.999
            best, damping = trial, damping * 0.2
            if settled:
                break
        else:
            damping *= 20
    return best


def _design(drawn: SingleArray) -> FloatArray:
    return np.concatenate([np.ones((1, drawn.shape[1])), drawn])


def _levelled(pose: FloatArray, drawn: SingleArray, patch: Patch) -> Match:
    """The levels that explain the patch best; a marker that would be more colourful than the top is no marker."""
    design = _design(drawn)
    levels = _solve(design, patch.values)
    if levels[1 + MARKER] > 0:
        levels = np.append(_solve(design[: 1 + MARKER], patch.values), 0.0)
    residuals = levels @ design - patch.values
    return Match(pose, levels, float(np.mean(np.square(residuals))))


def _solve(rows: FloatArray, values: npt.NDArray[np.floating]) -> FloatArray:
    normal = _products(rows)
    ridge = 1e-5 * np.trace(normal) * np.eye(len(rows))
    return np.asarray(np.linalg.solve(normal + ridge, rows @ values))


def _products(rows: FloatArray) -> FloatArray:
    """Rows times rows (k, k); without BLAS, whose threads cost more than they bring here."""
    return np.asarray(np.einsum("in,jn->ij", rows, rows))


def _step(match: Match, camera: Camera, patch: Patch, damping: float) -> Match:
    slopes = project_points(match.pose[None], camera).slopes[0]
    reach = np.linalg.norm(slopes, axis=1).max(axis=0)
    probes = PROBE / np.maximum(reach, 1e-6)
    drawn = masks(np.concatenate([match.pose[None], match.pose + np.diag(probes)]), camera, patch.grid)
    visible = match.levels[1:]
    shown = visible @ drawn.reshape(7, MARKER + 1, -1)
    design = _design(drawn[0])
    rows = np.concatenate([(shown[1:] - shown[0]), design])
    residuals = patch.values - match.levels @ design
    normal = _products(rows)
    normal[np.diag_indices(11)] += damping * np.diag(normal) + 1e-9
    change = np.linalg.solve(normal, rows @ residuals)[:6]
    change = np.clip(change, -6, 6) * probes
    pose = bounded(match.pose[None] + change)[0]
    return _levelled(pose, masks(pose[None], camera, patch.grid)[0], patch)
