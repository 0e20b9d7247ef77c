"""From an image to cuboids: segment, fit silhouettes, find the front, refine on pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scorer.blocks.camera import Camera, FloatArray
from scorer.blocks.world import box_vertices, colour_of, standing_box
from scorer.contract import CameraData
from scorer.detectors.blocks.photometry import Front, Patch, best_front, cut_patch, linear_light, refine
from scorer.detectors.blocks.rendering import SingleArray
from scorer.detectors.blocks.segmentation import Region, segment
from scorer.detectors.blocks.silhouette import SilhouetteFit, fit_at_heights, fit_silhouettes
from scorer.detectors.blocks.touching import halves
from scorer.detectors.port import EVERYTHING, Detection, Image

VERSION = "blocks-detector-1"
LEAST_SCORE = 0.5
"""Regions that a cuboid explains worse than this are no cuboids."""
LEAST_PIXELS = 20
CLEAR_EVIDENCE = 0.6
"""A marker that explains this share of the variation inside the silhouette is beyond doubt."""
WELL_EXPLAINED = 0.06
"""Share of a patch's variance that may stay unexplained without a second look at other heights."""
GOOD_OUTLINE = 0.6
"""Pixels (root mean square) that an outline may differ from the cuboid's without that second look."""
REFINED = 2
DOUBTFUL_SCORE, DOUBTFUL_SOLIDITY = 0.85, 0.97
"""Regions below both may be two objects that touch."""
PART_EVIDENCE = 0.4
"""Each of the two must show a marker of its own: a dented object is not two."""


@dataclass(frozen=True)
class BlocksDetector:
    """Finds the cuboids of the Blocks world from pixels and public camera data alone."""

    name: str = VERSION
    sees_everything: bool = True

    def detect(self, *, image: Image, target: str, camera: CameraData) -> list[Detection]:
        """See :class:`scorer.detectors.port.Detector`; a target without one of our colour words finds nothing."""
        return self._detect(image, target, Camera.of_data(camera))

    def _detect(self, image: Image, target: str, camera: Camera) -> list[Detection]:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"an image is (height, width, 3) uint8, not {image.shape} {image.dtype}")
        everything = target.strip() in ("", EVERYTHING)
        wanted = None if everything else colour_of(target)
        if (wanted is None and not everything) or min(image.shape[:2]) < 16:
            return []
        regions = segment(image)
        seen = _Picture(linear_light(image), camera, regions)
        chosen = [region for region in regions if wanted in (None, region.colour)]
        fits = fit_silhouettes([region.hull for region in chosen], camera)
        found = [one for region, fit in zip(chosen, fits, strict=True) for one in _found(region, fit, seen)]
        labelled = (_detection(one, camera, one.region.colour if everything else target, image.shape) for one in found)
        kept = [detection for detection in labelled if detection is not None]
        return sorted(kept, key=lambda detection: -detection.score)


class _Picture(NamedTuple):
    """An image in linear light with what it was segmented into."""

    light: SingleArray
    camera: Camera
    regions: list[Region]


class _Found(NamedTuple):
    """A region with the cuboid that explains it and how well it does."""

    region: Region
    front: Front
    score: float


def _found(region: Region, fits: list[SilhouetteFit], seen: _Picture) -> list[_Found]:
    """The object that a region shows, or two where that explains it better."""
    whole = _explained(region, fits, seen, seen.regions)
    if whole is None or whole.score >= DOUBTFUL_SCORE or region.solidity >= DOUBTFUL_SOLIDITY:
        return [] if whole is None else [whole]
    parts = halves(region, seen.light.shape)
    others = [other for other in seen.regions if other is not region]
    part_fits = fit_silhouettes([part.hull for part in parts], seen.camera)
    both = [_explained(part, fit, seen, others + parts) for part, fit in zip(parts, part_fits, strict=True)]
    split = [one for one in both if one is not None]
    marked = len(split) == 2 and all(one.front.evidence >= PART_EVIDENCE for one in split)
    return split if marked and min(one.score for one in split) > whole.score else [whole]


def _explained(region: Region, fits: list[SilhouetteFit], seen: _Picture, regions: list[Region]) -> _Found | None:
    patch = cut_patch(seen.light, region, [other for other in regions if other is not region])
    front = explain(region.hull, fits, seen.camera, patch)
    return None if front is None else _Found(region, front, confidence(front, region, patch))


def explain(hull: FloatArray, fits: list[SilhouetteFit], camera: Camera, patch: Patch) -> Front | None:
    """The cuboid that explains the patch best, or None."""
    if len(patch.values) < LEAST_PIXELS or not fits:
        return None
    best = _refined([fit.pose for fit in fits], camera, patch)
    unexplained = best.match.error / max(float(np.var(patch.values)), 1e-8)
    if best.evidence < CLEAR_EVIDENCE or unexplained > WELL_EXPLAINED or fits[0].rms > GOOD_OUTLINE:
        others = [pose for fit in fits[:2] for pose in fit_at_heights(hull, camera, float(fit.pose[2]))]
        best = min(best, _refined(others, camera, patch), key=_doubt)
    return best


def _refined(poses: list[FloatArray], camera: Camera, patch: Patch) -> Front:
    """The best of the poses after refinement; only the most promising ones are refined."""
    starts = sorted((best_front(pose, camera, patch) for pose in poses), key=_doubt)[:REFINED]
    found = []
    for start in starts:
        better = refine(start.match, camera, patch)
        front = best_front(better.pose, camera, patch)
        found.append(
            front if front.match.error <= better.error else Front(refine(front.match, camera, patch), front.evidence)
        )
    return min(found, key=_doubt)


def _doubt(front: Front) -> float:
    """What speaks against a match: its error, less where a marker is seen where it should be."""
    return front.match.error * (1 - 0.7 * front.evidence)


def _detection(found: _Found, camera: Camera, label: str, shape: tuple[int, ...]) -> Detection | None:
    x, z, yaw, *logs = found.front.match.pose
    box, rotation = standing_box(camera=camera, x=float(x), z=float(z), yaw=float(yaw), size=np.exp(logs))
    outline = camera.project(box_vertices(box, rotation))
    if found.score < LEAST_SCORE or not np.isfinite(outline).all():
        return None
    limits = np.array([shape[1], shape[0]], dtype=np.float64)
    bbox_2d = np.concatenate([np.clip(outline.min(axis=0), 0, limits), np.clip(outline.max(axis=0), 0, limits)])
    return Detection(label=label, bbox_3d=box, bbox_2d=bbox_2d, rotation_matrix=rotation, score=found.score)


def confidence(front: Front, region: Region, patch: Patch) -> float:
    """The share of the patch's variance that the cuboid explains, 0..1.

    Less where the region is ragged, where the image cuts it off and where no marker shows.
    """
    variance = float(np.var(patch.values))
    explained = 1 - front.match.error / variance if variance > 1e-8 else 0.0
    doubt = 0.75 + 0.25 * min(1.0, front.evidence / CLEAR_EVIDENCE)
    score = max(0.0, explained) * doubt * min(1.0, region.solidity / 0.9) * (0.7 if region.cut else 1.0)
    return float(min(1.0, score))
