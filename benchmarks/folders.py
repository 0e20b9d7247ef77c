"""Official folders of made-up pictures, for measuring what scoring them costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image as PillowImage

from scorer.geometry import FloatArray
from scorer.official.dataset import Layout
from scorer.official.imaging import Image

BOXES = [np.array([120.0, 200.0, 330.0, 420.0]), np.array([400.0, 250.0, 600.0, 470.0])]
"""What is left out: the target before and after, as the detections of every image say."""
CUP = [-0.6, 0.3, 2.5, 0.3, 0.4, 0.3, 0.0]
MOVED = [0.4, *CUP[1:]]
LENS = [[700.0, 0.0, 448.0], [0.0, 700.0, 336.0], [0.0, 0.0, 1.0]]
UPRIGHT = np.eye(3).tolist()
EDIT = {
    "prompt": "Move the cup 100 centimeters to the right.",
    "target": "cup",
    "original_bbox_3d": CUP,
    "new_bbox_3d": MOVED,
    "camera_intrinsics": LENS,
    "rotation_matrix": UPRIGHT,
}


class Job(NamedTuple):
    """The files of one original and one edited image."""

    original: Path
    edited: Path


def picture(rng: np.random.Generator, *, width: int, height: int) -> Image:
    """Colours at five scales and a little noise: compresses about as a photograph does."""
    total = np.zeros((height, width, 3))
    for cells in (4, 12, 40, 120, 360):
        rough = PillowImage.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        total += np.asarray(rough.resize((width, height)), dtype=np.float64) / cells**0.3
    total = 255 * (total - total.min()) / np.ptp(total) + rng.normal(0, 1.5, total.shape)
    return total.clip(0, 255).astype(np.uint8)


def make_jobs(layout: Layout, *, images: int, width: int, height: int) -> list[Job]:
    """Official folders of PNG files: originals, and edits with something new in them, slightly changed everywhere."""
    rng, jobs, detections = np.random.default_rng(0), [], {}
    for folder in (layout.truth, layout.images, layout.cache.parent):
        folder.mkdir(parents=True)
    for k in range(images):
        original = picture(rng, width=width, height=height)
        edited = (original * 0.97 + rng.normal(0, 1.5, original.shape)).clip(0, 255).astype(np.uint8)
        edited[height // 3 : height // 2, width // 3 : width // 2] = picture(rng, width=width, height=height)[
            height // 3 : height // 2, width // 3 : width // 2
        ]
        jobs.append(Job(layout.truth / f"p{k:03}.png", layout.images / f"p{k:03}_edit_0.png"))
        for path, pixels in zip(jobs[-1], (original, edited), strict=True):
            PillowImage.fromarray(pixels).save(path)
        (layout.truth / f"p{k:03}_edit_0.json").write_text(json.dumps(EDIT))
        detections[f"p{k:03}_0"] = {"origin_result": seen(CUP, BOXES[0]), "new_result": seen(MOVED, BOXES[1])}
    layout.cache.write_text(json.dumps(detections))
    return jobs


def seen(solid: list[float], rectangle: FloatArray) -> dict[str, object]:
    """What a detector recorded of one image."""
    return {"detections": [{"bbox_3d": solid, "bbox_2d": rectangle.tolist(), "rotation_matrix": UPRIGHT}]}
