"""A small official data set whose stored boxes are what the installed detector finds on its originals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scorer.contract import CameraData
from scorer.detectors.port import Detection, Detector
from scorer.official.imaging import Frame

SIZE = (96, 144)
"""Height and width of the originals; their frame is 588 x 896, cut by nine pixels."""
INTRINSICS = [[900.0, 0.0, 448.0], [0.0, 900.0, 294.0], [0.0, 0.0, 1.0]]
TARGET = "red cup"
FACTOR = 1.5


def picture(seed: int) -> np.ndarray:
    """(height, width, 3): patches of colour, the same for a seed."""
    rough = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(rough).resize(SIZE[::-1], Image.Resampling.BILINEAR))


def camera() -> CameraData:
    """As a manifest holds it: for the picture's own pixels."""
    return CameraData(intrinsics=Frame.of(*SIZE).intrinsics(INTRINSICS))


def write(folder: Path, *, detector: Detector, images: int = 1) -> Detection:
    """``images`` originals, alike but for their names, each with a scale and a remove; returns what is stored."""
    folder.mkdir(parents=True)
    found = detector.detect(image=picture(0), target=TARGET, camera=camera())[-1]
    box = found.bbox_3d.tolist()
    larger = [*box[:3], *(FACTOR * side for side in box[3:6]), box[6]]
    for k in range(images):
        Image.fromarray(picture(0)).save(folder / f"room_{k}.png")
        edit(folder / f"room_{k}_edit_0.json", found, prompt="Make the red cup 1.5 times larger", new_bbox_3d=larger)
        edit(folder / f"room_{k}_edit_1.json", found, prompt="Remove the red cup")
    return found


def edit(path: Path, found: Detection, **fields: Any) -> None:
    """One edit JSON."""
    content = {
        "target": TARGET,
        "original_bbox_3d": found.bbox_3d.tolist(),
        "rotation_matrix": found.rotation_matrix.tolist(),
        "camera_intrinsics": INTRINSICS,
        **fields,
    }
    path.write_text(json.dumps(content))
