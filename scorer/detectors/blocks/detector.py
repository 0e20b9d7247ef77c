"""From an image to cuboids: segment, fit silhouettes, find the front, refine on pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorer.blocks.camera import Camera, FloatArray
from scorer.blocks.world import box_vertices, colour_of, standing_box
from scorer.detectors.blocks.photometry import Front, Patch, best_front, cut_patch, linear_light, refine
from scorer.detectors.blocks.segmentation import Region, segment
from scorer.detectors.blocks.silhouette import SilhouetteFit, fit_at_heights, fit_silhouettes
from scorer.detectors.port import EVERYTHING, Detection, Image

VERSION = "blocks-detector-1"
LEAST_SCORE = 0.4
"""Regions that a cuboid explains worse than this are no cuboids."""
LEAST_PIXELS = 20
CLEAR_EVIDENCE = 0.6
"""A marker that explains this share of the variation inside the silhouette is beyond doubt."""
REFINED = 2


@dataclass(frozen=True)
class BlocksDetector:
    """Finds the cuboids of the Blocks world from pixels and public camera data alone."""

    name: str = VERSION

    def detect(self, *, image: Image, target: str, camera: Camera) -> list[Detection]:
        """See :class:`scorer.detectors.port.Detector`; a target without one of our colour words finds nothing."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"an image is (height, width, 3) uint8, not {image.shape} {image.dtype}")
        everything = target.strip() in ("", EVERYTHING)
        wanted = None if everything else colour_of(target)
        if (wanted is None and not everything) or min(image.shape[:2]) < 16:
            return []
        regions = segment(image)
        chosen = [region for region in regions if wanted in (None, region.colour)]
        light = linear_light(image)
        found = []
        for region, fits in zip(chosen, fit_silhouettes([region.hull for region in chosen], camera), strict=True):
            patch = cut_patch(light, region, [other for other in regions if other is not region])
            front = explain(region.hull, fits, camera, patch)
            if front is not None:
                label = region.colour if everything else target
                found.append(_detection(front, region, patch, camera, label, image.shape))
        kept = [detection for detection in found if detection is not None]
        return sorted(kept, key=lambda detection: -detection.score)


def explain(hull: FloatArray, fits: list[SilhouetteFit], camera: Camera, patch: Patch) -> Front | None:
    """The cuboid that explains the patch best, or None."""
    if len(patch.values) < LEAST_PIXELS or not fits:
        return None
    best = _refined([fit.pose for fit in fits], camera, patch)
    if best.evidence < CLEAR_EVIDENCE:
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


def _detection(
    front: Front, region: Region, patch: Patch, camera: Camera, label: str, shape: tuple[int, ...]
) -> Detection | None:
    score = confidence(front, region, patch)
    x, z, yaw, *logs = front.match.pose
    box, rotation = standing_box(camera=camera, x=float(x), z=float(z), yaw=float(yaw), size=np.exp(logs))
    outline = camera.project(box_vertices(box, rotation))
    if score < LEAST_SCORE or not np.isfinite(outline).all():
        return None
    limits = np.array([shape[1], shape[0]], dtype=np.float64)
    bbox_2d = np.concatenate([np.clip(outline.min(axis=0), 0, limits), np.clip(outline.max(axis=0), 0, limits)])
    return Detection(label=label, bbox_3d=box, bbox_2d=bbox_2d, rotation_matrix=rotation, score=score)


def confidence(front: Front, region: Region, patch: Patch) -> float:
    """The share of the patch's variance that the cuboid explains, 0..1.

    Less where the region is ragged, where the image cuts it off and where no marker shows.
    """
    variance = float(np.var(patch.values))
    explained = 1 - front.match.error / variance if variance > 1e-8 else 0.0
    doubt = 0.75 + 0.25 * min(1.0, front.evidence / CLEAR_EVIDENCE)
    score = max(0.0, explained) * doubt * min(1.0, region.solidity / 0.9) * (0.7 if region.cut else 1.0)
    return float(min(1.0, score))
