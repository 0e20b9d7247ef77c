"""Whether two images were taken from one viewpoint: the official test, used for rotations alone.

SIFT (Lowe 2004) with OpenCV's defaults, brute-force matches that pass the ratio test, an essential matrix with a focal
length of 1000 px whatever the image, and the angle of the recovered pose. The test is degenerate where the camera did
not move, and pose recovery runs with another camera than the matrix; both are the official code's (D8). Its answers
can differ between versions of OpenCV, so reports name the version.
"""

from __future__ import annotations

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


class Sift(NamedTuple):
    """SIFT features of an image: ``points`` (n, 2) x, y in pixels; ``descriptors`` (n, 128); ``size``: (height, width).

    An image without features has n = 0.
    """

    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.float32]
    size: tuple[int, int]


def sift_of(image: Image) -> Sift:
    """Of an RGB image (height, width, 3), uint8, that OpenCV takes for BGR, as the official test does."""
    found: Any = cv2.SIFT.create().detectAndCompute(image, None)  # its stub does not know of None
    points, descriptors = found
    places = np.array([point.pt for point in points], dtype=np.float32).reshape(-1, 2)
    kept = np.zeros((0, 128)) if len(places) == 0 else descriptors
    return Sift(places, np.asarray(kept, dtype=np.float32), (image.shape[0], image.shape[1]))


def compare_viewpoints(original: Sift, edited: Image) -> Viewpoint:
    """Compare the features of an original with an edited RGB image (height, width, 3), uint8, read as BGR.

    Raises OfficialAbortError where the official code raises: one image alone has no features, or a single one.
    """
    other = sift_of(edited)
    if not len(original.points) and not len(other.points):
        return Viewpoint(None, 0, None)
    if not len(original.points) or not len(other.points):
        raise OfficialAbortError("error", "the viewpoint test finds no features in one of the two images")
    pairs = cv2.BFMatcher().knnMatch(original.descriptors, other.descriptors, k=2)
    if any(len(pair) < 2 for pair in pairs):
        raise OfficialAbortError("ValueError", "the viewpoint test finds a single feature in the edited image")
    good = [best for best, second in pairs if best.distance < RATIO * second.distance]
    if len(good) < LEAST_MATCHES:
        return Viewpoint(None, len(good), None)
    here = original.points[[found.queryIdx for found in good]]
    there = other.points[[found.trainIdx for found in good]]
    angle = _angle(here, there, size=(original.size[1], original.size[0]))
    return Viewpoint(angle < LARGEST_ANGLE, len(good), angle)


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
