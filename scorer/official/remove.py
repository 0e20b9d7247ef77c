"""Remove: whether anything still stands where the object was (docs/protocol.md, gsi-official-1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scorer.geometry import SAME_RECTANGLE_THRESHOLD, FloatArray, iou_3d, is_same
from scorer.official.outcome import Outcome, stop
from scorer.official.truth import Detection, Truth

STILL_THERE = 0.1
"""IoU with the original box above which the object was not removed."""
LOSS = 0.3
"""What each further lost object costs."""
COMPLIANT = 0.5
"""IC is 1 from this SA."""


def still_there(result: Sequence[Detection], *, original: FloatArray, start: FloatArray) -> int | None:
    """The first detection of the edited image that overlaps the original box (7,) or has its rectangle (4,)."""
    for i, found in enumerate(result):
        overlaps = iou_3d(found.box, original) > STILL_THERE
        if overlaps or is_same(start, found.rectangle, threshold=SAME_RECTANGLE_THRESHOLD):
            return i
    return None


def remove_accuracy(*, removed: bool, count_origin: int, count_result: int) -> float:
    """SA = clip(1 - 0.3 (count_origin - count_result - 1), 0, 1), or 0 where nothing was removed (D7)."""
    if not removed:
        return 0.0
    return float(np.clip(1 - LOSS * (count_origin - count_result - 1), 0.0, 1.0))


def evaluate_remove(truth: Truth, *, origin: Sequence[Detection], result: Sequence[Detection], gate: bool) -> Outcome:
    """IC and SA of a removal; an edited image without detections is one. ``gate``: whether the locality gate passed."""
    start = stop(truth, origin=origin, result=result, gate=gate, needs_result=False)
    if isinstance(start, str):
        return Outcome(0.0, 0.0, stopped=start)
    left = still_there(result, original=truth.original, start=origin[start].rectangle)
    sa = remove_accuracy(removed=left is None, count_origin=len(origin), count_result=len(result))
    quantities = {"still_there": left, "count_origin": len(origin), "count_result": len(result)}
    return Outcome(1.0 if sa >= COMPLIANT else 0.0, sa, origin=start, quantities=quantities)
