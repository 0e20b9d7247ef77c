"""A cheap look of our own at what a judge praised: does the object's crop resemble what it was?

A model that reads pictures can be talked to through them. This check cannot: it compares colours and edges of the crops
by formulas, without weights. It never changes a score; it flags a judgement for a maintainer's eye.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from scorer.detectors.port import Detection, Image
from scorer.judges.port import Judgement, Question, Subject

SIDE = 64
"""Pixels: crops are compared as squares of this side."""
LEAST_CROP = 12
"""Pixels: a smaller box says too little."""
CHROMA_BINS = 16
"""For each of a* and b* of CIELAB, over -128..128."""
CELLS, DIRECTIONS = 4, 8
"""Structure: edge directions (mod 180°) in CELLS x CELLS parts."""
HIGH_SCORE = 7.0
"""From this score on a judge has said: it is the same object."""
FAR = 0.45
"""From this distance on our own look says: it is not. Set on the demo data, see docs/protocol.md."""

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Suspicion:
    """``distance`` 0..1 of the least alike subject, its two parts, and whether a maintainer should look."""

    distance: float
    colour: float
    structure: float
    flagged: bool
    reason: str


def suspicion(question: Question, judgement: Judgement) -> Suspicion | None:
    """Hold a judgement against our own look; None where no object can be seen well enough in both images.

    move, place, rotate, scale: the target. remove, view: the least alike of all objects that are in both images.
    """
    seen = furthest(question)
    if seen is None:
        return None
    colour, structure = seen
    distance = distance_of(colour, structure)
    flagged = is_suspicious(judgement.score, distance)
    verdict = "the judge's high score does not fit" if flagged else "nothing speaks against the judge"
    return Suspicion(distance, colour, structure, flagged, f"appearance distance {distance:.2f}: {verdict}")


def furthest(question: Question) -> tuple[float, float] | None:
    """The distances of the least alike subject in colour and in structure; None where nothing can be seen."""
    seen = [(colour, structure) for colour, structure in _distances(question) if np.isfinite([colour, structure]).all()]
    return max(seen, key=lambda pair: distance_of(*pair), default=None)


def is_suspicious(score: float | None, distance: float) -> bool:
    """Whether a judge's score (0..10) does not fit our own distance (0..1)."""
    return score is not None and score >= HIGH_SCORE and distance >= FAR


def distance_of(colour: float, structure: float) -> float:
    """One number of the two, 0..1: colours weigh more, for edges also change when an object turns."""
    return 0.7 * colour + 0.3 * structure


def appearance_distance(before: Image, after: Image) -> tuple[float, float]:
    """Distance of two crops (height, width, 3) in colour and in structure, each 0 (alike) to 1.

    Colour: Hellinger distance of the smoothed histograms of a*b*. Structure: 1 - cosine of the histograms of edge
    directions by cell.
    """
    one, other = _square(before), _square(after)
    overlap = float(np.sqrt(np.multiply(_chroma(one), _chroma(other))).sum())
    first, second = _edges(one), _edges(other)
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    alike = float((first * second).sum()) / lengths if lengths > 0 else float(not first.any() and not second.any())
    return float(np.sqrt(max(0.0, 1 - overlap))), min(1.0, max(0.0, 1 - alike))


def crop(image: Image, detection: Detection) -> Image | None:
    """What the box of a detection shows; None where less than ``LEAST_CROP`` pixels a side are inside the image."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = np.clip(np.round(detection.bbox_2d), 0, [width, height, width, height]).astype(int)
    if min(x2 - x1, y2 - y1) < LEAST_CROP:
        return None
    return image[y1:y2, x1:x2]


def _distances(question: Question) -> Iterator[tuple[float, float]]:
    for subject in _subjects(question):
        if subject.after is None:
            continue
        before, after = crop(question.original, subject.before), crop(question.edited, subject.after)
        if before is not None and after is not None:
            yield appearance_distance(before, after)


def _subjects(question: Question) -> Sequence[Subject]:
    target = [] if question.target is None else [question.target]
    return [*target, *question.others] if question.operation in ("remove", "view") else target


def _square(image: Image) -> Image:
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _chroma(square: Image) -> Values:
    lab = cv2.cvtColor(square.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    edges = np.linspace(-128, 128, CHROMA_BINS + 1)
    counts, _, _ = np.histogram2d(lab[:, :, 1].ravel(), lab[:, :, 2].ravel(), bins=[edges, edges])
    smooth = cv2.GaussianBlur(counts, (0, 0), 0.8, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(smooth / smooth.sum(), dtype=np.float64)


def _edges(square: Image) -> Values:
    grey = cv2.GaussianBlur(cv2.cvtColor(square, cv2.COLOR_RGB2GRAY).astype(np.float64), (0, 0), 1.0)
    down, across = np.gradient(grey)
    strength = np.hypot(down, across)
    direction = ((np.arctan2(down, across) % np.pi) / np.pi * DIRECTIONS).astype(int) % DIRECTIONS
    rows, columns = (part * CELLS // SIDE for part in np.indices((SIDE, SIDE)))
    found = np.zeros((CELLS, CELLS, DIRECTIONS))
    np.add.at(found, (rows, columns, direction), strength)
    return found
