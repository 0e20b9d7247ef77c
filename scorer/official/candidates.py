"""Which detection is the target: the origin box on the original image, the candidate on the edited one.

Every step is a function of its own, and the choice says of each detection why it was not taken.
docs/protocol.md, gsi-official-1, "Which detection is the target"; D1, D2, D17 say what the rules cost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from scorer.geometry import SAME_BOX_THRESHOLD, SAME_RECTANGLE_THRESHOLD, centre_distance, is_same
from scorer.official.truth import Detection

LEAST_MOTION = 0.2
"""A candidate's rectangle moved by more than this share of the way to the goal's."""
EPSILON = 1e-5

Why = Literal["another_object", "same_box", "same_rectangle", "little_motion", "farther", "chosen"]


@dataclass(frozen=True)
class Verdict:
    """Why one detection of the edited image was taken or not.

    ``repeats``: the origin detection that it repeats, for same_box and same_rectangle. ``motion``: the relative motion
    of its rectangle. ``distance``: from its centre to the goal's, metres. None where the choice did not come that far.
    """

    why: Why
    repeats: int | None = None
    motion: float | None = None
    distance: float | None = None


@dataclass(frozen=True)
class Choice:
    """The index of the chosen detection, or None, and a verdict on each detection in order."""

    index: int | None
    verdicts: tuple[Verdict, ...]


def origin_index(
    origin: Sequence[Detection], original: npt.ArrayLike, *, threshold: float = SAME_BOX_THRESHOLD
) -> int | None:
    """The first origin detection that is the same 3D box as the true original, all seven numbers (D17)."""
    return next((i for i, found in enumerate(origin) if is_same(found.box, original, threshold=threshold)), None)


def repeated_box(detection: Detection, origin: Sequence[Detection], *, threshold: float) -> int | None:
    """The first origin detection with the same 3D box (squared distance below ``threshold``)."""
    return next((i for i, old in enumerate(origin) if is_same(detection.box, old.box, threshold=threshold)), None)


def repeated_rectangle(
    detection: Detection, origin: Sequence[Detection], *, threshold: float = SAME_RECTANGLE_THRESHOLD
) -> int | None:
    """The first origin detection with the same rectangle (squared distance below ``threshold``, pixels²)."""
    return next(
        (i for i, old in enumerate(origin) if is_same(detection.rectangle, old.rectangle, threshold=threshold)), None
    )


def relative_motion(rectangle: npt.ArrayLike, *, start: npt.ArrayLike, goal: npt.ArrayLike) -> float:
    """|b - b0| / (|g - b0| + 1e-5) over the four numbers of a rectangle; not negative, NaN passes through."""
    begin = np.asarray(start, dtype=np.float64)
    travelled = np.linalg.norm(np.asarray(rectangle, dtype=np.float64) - begin)
    return float(travelled / (np.linalg.norm(np.asarray(goal, dtype=np.float64) - begin) + EPSILON))


def nearest(indices: Sequence[int], detections: Sequence[Detection], *, goal: npt.ArrayLike) -> int | None:
    """Of ``indices`` that whose centre is closest to the goal box's; the first on ties, None of none."""
    return min(indices, key=lambda i: centre_distance(detections[i].box, goal), default=None)


def choose(
    result: Sequence[Detection],
    *,
    origin: Sequence[Detection],
    start: npt.ArrayLike,
    goal: npt.ArrayLike,
    goal_rectangle: npt.ArrayLike,
    same_box: float | None,
    compare_rectangles: bool = True,
    among: Collection[int] | None = None,
) -> Choice:
    """The target among the detections of the edited image.

    ``start``: the origin box's rectangle. ``goal``: the goal box (7,) and ``goal_rectangle``: its projection.
    ``same_box``: the squared distance below which a detection repeats an origin one (0.1 for move, else 0.001).
    Other profiles leave steps out: ``same_box`` None, ``compare_rectangles`` False, and ``among``, the indices that may
    be the target at all.
    """
    verdicts = [
        Verdict("another_object")
        if among is not None and i not in among
        else _verdict(found, origin, start, goal, goal_rectangle, same_box, compare_rectangles)
        for i, found in enumerate(result)
    ]
    open_indices = [i for i, verdict in enumerate(verdicts) if verdict.why == "farther"]
    chosen = nearest(open_indices, result, goal=goal)
    if chosen is not None:
        taken = verdicts[chosen]
        verdicts[chosen] = Verdict("chosen", motion=taken.motion, distance=taken.distance)
    return Choice(chosen, tuple(verdicts))


def _verdict(
    found: Detection,
    origin: Sequence[Detection],
    start: npt.ArrayLike,
    goal: npt.ArrayLike,
    goal_rectangle: npt.ArrayLike,
    same_box: float | None,
    compare_rectangles: bool,
) -> Verdict:
    if same_box is not None and (old := repeated_box(found, origin, threshold=same_box)) is not None:
        return Verdict("same_box", repeats=old)
    if compare_rectangles and (old := repeated_rectangle(found, origin)) is not None:
        return Verdict("same_rectangle", repeats=old)
    motion = relative_motion(found.rectangle, start=start, goal=goal_rectangle)
    if compare_rectangles and not motion > LEAST_MOTION:
        return Verdict("little_motion", motion=motion)
    return Verdict("farther", motion=motion, distance=centre_distance(found.box, goal))
