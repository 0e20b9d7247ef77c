"""Detections and truths of a cup that is asked to move one metre to the right, and of a plate beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorer.geometry import FloatArray, projected_box
from scorer.official.truth import Detection, Truth

LENS = [[700.0, 0.0, 448.0], [0.0, 700.0, 336.0], [0.0, 0.0, 1.0]]
CUP: FloatArray = np.array([-0.6, 0.3, 2.5, 0.3, 0.4, 0.3, 0.0])
PLATE: FloatArray = np.array([0.9, 0.5, 3.4, 0.6, 0.1, 0.6, 0.0])


def turned(degrees: float) -> FloatArray:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def moved(box: FloatArray, *, x: float = 0.0, z: float = 0.0) -> FloatArray:
    return box + np.array([x, 0.0, z, 0, 0, 0, 0])


def scaled(box: FloatArray, factor: float) -> FloatArray:
    return np.concatenate([box[:3], box[3:6] * factor, box[6:]])


def seen(box: FloatArray, *, degrees: float = 0.0) -> Detection:
    rotation = turned(degrees)
    return Detection(box, projected_box(box, intrinsics=LENS, rotation=rotation), rotation)


def truth(prompt: str = "Move the cup 100 centimeters to the right.", **fields: Any) -> Truth:
    given = {
        "prompt": prompt,
        "target": "cup",
        "original_bbox_3d": CUP.tolist(),
        "camera_intrinsics": LENS,
        "rotation_matrix": turned(0).tolist(),
        "new_bbox_3d": moved(CUP, x=1.0).tolist(),
    }
    return Truth({**given, **fields})
