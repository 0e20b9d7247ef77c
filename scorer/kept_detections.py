"""What a learned detector found in an original, as arrays that are kept: exactly the numbers that it gave."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import torch

from scorer.arrays_on_disk import Arrays
from scorer.contract import CameraData
from scorer.detectors.port import Detection, Learned
from scorer.environment import versions

VERSION = "detections-1"
"""Changes whenever the form of what is kept does."""


def key_of(picture: str, *, detector: Learned, target: str, camera: CameraData) -> str:
    """Of all that decides an answer: the image's hash, the name, the camera, the weights' hashes, code and device."""
    parts = {
        "version": VERSION,
        "picture": picture,
        "target": target,
        "intrinsics": camera.intrinsics,
        "detector": detector.name,
        "weights": dict(detector.weights),
        "provenance": detector.provenance(),
        "packages": versions(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def packed(found: list[Detection]) -> Arrays:
    """n detections as float64 arrays, in their order; n may be 0."""
    return {
        "boxes": _stacked([one.bbox_3d for one in found], (7,)),
        "rectangles": _stacked([one.bbox_2d for one in found], (4,)),
        "rotations": _stacked([one.rotation_matrix for one in found], (3, 3)),
        "scores": _stacked([np.array(one.score) for one in found], ()),
    }


def unpacked(arrays: Arrays, *, target: str) -> list[Detection]:
    """The detections again; ``target`` is their label."""
    boxes, rectangles, rotations, scores = (
        arrays[name].numpy() for name in ("boxes", "rectangles", "rotations", "scores")
    )
    return [
        Detection(
            label=target,
            bbox_3d=boxes[i],
            bbox_2d=rectangles[i],
            rotation_matrix=rotations[i],
            score=float(scores[i]),
        )
        for i in range(len(scores))
    ]


def _stacked(values: list[np.ndarray], shape: tuple[int, ...]) -> torch.Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64).reshape(len(values), *shape))
