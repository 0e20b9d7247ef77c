"""Whether two images were taken from one viewpoint: the official test, used for rotations alone.

SIFT (Lowe 2004) with OpenCV's defaults, brute-force matches that pass the ratio test, an essential matrix with a focal
length of 1000 px whatever the image, and the angle of the recovered pose. The test is degenerate where the camera did
not move, and pose recovery runs with another camera than the matrix; both are the official code's (D8). Its answers
can differ between versions of OpenCV, so reports name the version.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from scorer.official.aborts import OfficialAbortError

Image = npt.NDArray[np.uint8]

RATIO = 0.75
LEAST_MATCHES = 10
FOCAL_LENGTH = 1000.0
"""Pixels."""
CONFIDENCE = 0.999
REACH = 1.0
"""RANSAC's threshold, pixels."""
LARGEST_ANGLE = 10.0
"""Degrees; the test passes below."""


class Viewpoint(NamedTuple):
    """The test's answer: ``same`` is None with too few matches, which counts as failed; ``angle`` in degrees."""

    same: bool | None
    matches: int
    angle: float | None


def compare_viewpoints(original: Image, edited: Image) -> Viewpoint:
    """Compare two RGB images (height, width, 3), uint8, which OpenCV reads as BGR.

    Raises OfficialAbortError where the official code raises: one image alone has no features, or a single one.
    """
    points, features = _features(original)
    other_points, other_features = _features(edited)
    if features is None and other_features is None:
        return Viewpoint(None, 0, None)
    if features is None or other_features is None:
        raise OfficialAbortError("error", "the viewpoint test finds no features in one of the two images")
    pairs = cv2.BFMatcher().knnMatch(features, other_features, k=2)
    if any(len(pair) < 2 for pair in pairs):
        raise OfficialAbortError("ValueError", "the viewpoint test finds a single feature in the edited image")
    good = [best for best, second in pairs if best.distance < RATIO * second.distance]
    if len(good) < LEAST_MATCHES:
        return Viewpoint(None, len(good), None)
    here = np.array([points[found.queryIdx].pt for found in good], dtype=np.float32)
    there = np.array([other_points[found.trainIdx].pt for found in good], dtype=np.float32)
    angle = _angle(here, there, size=(original.shape[1], original.shape[0]))
    return Viewpoint(angle < LARGEST_ANGLE, len(good), angle)


def _features(image: Image) -> tuple[Sequence[Any], npt.NDArray[np.float32] | None]:
    """Key points and their descriptors (n, 128), or None where there are none."""
    found: Any = cv2.SIFT.create().detectAndCompute(image, None)  # its stub does not know of None
    points, descriptors = found
    return points, descriptors


def _angle(here: npt.NDArray[np.float32], there: npt.NDArray[np.float32], *, size: tuple[int, int]) -> float:
    """The angle of the recovered rotation, degrees, from matched points (n, 2) in pixels."""
    centre = (size[0] / 2, size[1] / 2)
    try:
        essential, _ = cv2.findEssentialMat(
            here, there, focal=FOCAL_LENGTH, pp=centre, method=cv2.RANSAC, prob=CONFIDENCE, threshold=REACH
        )
        _, rotation, _, _ = cv2.recoverPose(essential, here, there)
    except cv2.error as error:
        raise OfficialAbortError("error", "the viewpoint test finds no pose for its matches") from error
    cosine = (float(np.trace(rotation)) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
