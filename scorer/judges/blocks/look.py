"""What one cuboid looks like in one image, measured so that place, turn, size and light do not matter.

The faces are rectified with the box of a detection. Four things are kept:

* colours: the median chromaticity rgb / (r + g + b) in linear light of the top without its marker, of the brightest
  side, and of all that together;
* top: the top face as a SIDE x SIDE map with its front edge first, every channel divided by the top's own median
  brightness; the marker and any stain show here;
* unevenness: how much brightness varies over a side face beyond a linear gradient (1.48 median absolute deviations),
  as a share of its mean;
* edge width: how many pixels the outline takes from object to surroundings.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from scorer.blocks.camera import Camera, FloatArray
from scorer.blocks.world import MARKER_X, MARKER_Z, box_vertices
from scorer.detectors.port import Detection, Image

SIDE = 24
INSET = 0.1
"""The share of a face left out along each edge: boxes are never exact to the pixel."""
THINNEST_FACE = 5.0
"""Pixels across (area over longest edge) below which a face says nothing: its edges bleed all over it."""
PROFILE = np.arange(-8, 9) * 0.5
"""Where an outline is sampled, pixels along its outward normal."""
LEAST_CONTRAST = 0.02

_TOP = (0, 4, 5, 1)
_SIDES = ((0, 4, 6, 2), (1, 5, 7, 3), (0, 1, 3, 2), (4, 5, 7, 6))

SingleArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Look:
    """See the module: colours (3,), ``top`` (SIDE, SIDE, 3), ``unevenness`` and ``edge_width`` >= 0."""

    colour: FloatArray
    top_colour: FloatArray | None
    side_colour: FloatArray | None
    top: SingleArray | None
    unevenness: float
    edge_width: float | None


def look_at(image: Image, detection: Detection, camera: Camera) -> Look | None:
    """The look of a detected object, or None where no face of it is large enough in the image."""
    corners = box_vertices(detection.bbox_3d, detection.rotation_matrix)
    pixels = camera.project(corners)
    if not np.isfinite(pixels).all():
        return None
    light = linear(image)
    top = _rectified(light, pixels, _TOP, corners)
    sides = [face for face in (_rectified(light, pixels, side, corners) for side in _SIDES) if face is not None]
    if top is None and not sides:
        return None
    plain = [face.reshape(-1, 3) for face in sides] + ([top[~marker_area(grown=0.08)]] if top is not None else [])
    brightest = max(sides, key=lambda face: float(np.median(face)), default=None)
    return Look(
        colour=_chromaticity(np.concatenate(plain)),
        top_colour=None if top is None else _chromaticity(top[~marker_area(grown=0.08)]),
        side_colour=None if brightest is None else _chromaticity(brightest.reshape(-1, 3)),
        top=None if top is None else _normalised(top),
        unevenness=float(np.mean([_unevenness(face) for face in sides])) if sides else 0.0,
        edge_width=_edge_width(light, pixels),
    )


def linear(image: Image) -> SingleArray:
    """An 8-bit sRGB image in linear light, 0..1."""
    levels = np.arange(256, dtype=np.float32) / 255
    table = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return np.asarray(table[image])


def marker_area(*, grown: float) -> npt.NDArray[np.bool_]:
    """Cells of the rectified top (SIDE, SIDE) in the marker's rectangle grown by a share of the face."""
    middles = INSET + (1 - 2 * INSET) * (np.arange(SIDE) + 0.5) / SIDE - 0.5
    along = (middles > MARKER_Z[0] - grown) & (middles < MARKER_Z[1] + grown)
    across = (middles > MARKER_X[0] - grown) & (middles < MARKER_X[1] + grown)
    return np.asarray(along[:, None] & across[None, :])


def _rectified(
    light: SingleArray, pixels: FloatArray, rows: tuple[int, ...], corners: FloatArray
) -> SingleArray | None:
    """A face (SIDE, SIDE, 3) with its first two corners above, or None if it is hidden or tiny."""
    quad, solid = pixels[list(rows)], corners[list(rows)]
    outward = solid.mean(axis=0) - corners.mean(axis=0)
    area = abs(float(cv2.contourArea(quad.astype(np.float32))))
    longest = float(np.linalg.norm(quad - np.roll(quad, 1, axis=0), axis=1).max())
    if outward @ solid.mean(axis=0) >= 0 or area < THINNEST_FACE * max(longest, THINNEST_FACE):
        return None
    low, high = INSET * SIDE / (1 - 2 * INSET), SIDE * (1 + INSET / (1 - 2 * INSET))
    target = np.array([[-low, -low], [high, -low], [high, high], [-low, high]], dtype=np.float32)
    # Pixel i covers [i, i + 1]; OpenCV counts from pixel centres.
    matrix = cv2.getPerspectiveTransform(target - np.float32(0.5), quad.astype(np.float32) - np.float32(0.5))
    coarse = np.sqrt(area) / SIDE
    soft = cv2.GaussianBlur(light, (0, 0), 0.5 * coarse) if coarse > 1.5 else light
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(soft, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _chromaticity(pixels: SingleArray) -> FloatArray:
    total = np.maximum(pixels.sum(axis=1, keepdims=True), 1e-3)
    return np.asarray(np.median(pixels / total, axis=0), dtype=np.float64)


def _normalised(top: SingleArray) -> SingleArray:
    brightness = float(np.median(top[~marker_area(grown=0.08)].mean(axis=1)))
    return np.asarray(top / max(brightness, 5e-3), dtype=np.float32)


def _unevenness(face: SingleArray) -> float:
    brightness = face.mean(axis=2).astype(np.float64)
    steps = np.linspace(-1, 1, SIDE)
    design = np.stack([np.ones((SIDE, SIDE)), *np.meshgrid(steps, steps)], axis=-1).reshape(-1, 3)
    plane = design @ np.linalg.lstsq(design, brightness.ravel(), rcond=None)[0]
    # The median absolute deviation lets a strip along one edge pass: boxes are never exact to the pixel.
    deviation = 1.4826 * float(np.median(np.abs(brightness.ravel() - plane)))
    return deviation / max(float(brightness.mean()), 5e-3)


def _edge_width(light: SingleArray, pixels: FloatArray) -> float | None:
    """The median over the outline of contrast / steepest slope, pixels; None where nowhere is enough contrast."""
    hull = cv2.convexHull(pixels.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    ahead = np.roll(hull, -1, axis=0) - hull
    lengths = np.linalg.norm(ahead, axis=1)
    kept = lengths > 6
    hull, ahead, lengths = hull[kept], ahead[kept], lengths[kept]
    if not len(hull):
        return None
    normals = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1) / lengths[:, None]
    shares = np.linspace(0.2, 0.8, 7)[None, :, None]
    spots = hull[:, None] + ahead[:, None] * shares
    samples = spots[:, :, None] + normals[:, None, None] * PROFILE[None, None, :, None]
    where = (samples - 0.5).astype(np.float32).reshape(-1, len(PROFILE), 2)
    profiles = cv2.remap(light, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    vivid = profiles.max(axis=2) - profiles.min(axis=2)
    contrast = vivid.max(axis=1) - vivid.min(axis=1)
    slope = np.abs(np.gradient(vivid, PROFILE[1] - PROFILE[0], axis=1)).max(axis=1)
    clear = contrast > LEAST_CONTRAST
    return float(np.median(contrast[clear] / slope[clear])) if clear.sum() >= 5 else None
