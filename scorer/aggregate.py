"""From samples to scores. The one place that decides what a missing sample counts."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import get_args

from scorer.contract import Difficulty, Operation, SampleReport, Score, Scores

DIMENSIONS = ("ic", "sa", "ac", "el")


def average(*, ic: float, sa: float, ac: float, el: float) -> float:
    """Avg, the mean of the four dimensions, 0..100."""
    return fsum((ic, sa, ac, el)) / 4


def score_of(samples: Sequence[SampleReport], *, count_missing: bool = True) -> Score:
    """Means over samples; those that were not scored count as zero, or not at all. Raises ValueError for no samples.

    ``count_missing`` False is the official way (defect D12); the mean over none is then 0.
    """
    if not samples:
        raise ValueError("there is no mean over no samples")
    scored = [sample for sample in samples if sample.status == "scored"]
    n = len(samples) if count_missing else max(1, len(scored))
    # fsum is exact, so that the means do not depend on the order of samples.
    ic, sa, ac, el = (fsum(getattr(sample, name) for sample in scored) / n for name in DIMENSIONS)
    return Score(
        n=len(samples),
        missing=len(samples) - len(scored),
        ic=ic,
        sa=sa,
        ac=ac,
        el=el,
        avg=average(ic=ic, sa=sa, ac=ac, el=el),
    )


def aggregate(samples: Sequence[SampleReport], *, count_missing: bool = True) -> Scores:
    """Scores over everything, by operation and by difficulty (those that occur, in the contract's order)."""
    operations: dict[Operation, Score] = {
        name: score_of(chosen, count_missing=count_missing)
        for name in get_args(Operation)
        if (chosen := [sample for sample in samples if sample.operation == name])
    }
    difficulties: dict[Difficulty, Score] = {
        name: score_of(chosen, count_missing=count_missing)
        for name in get_args(Difficulty)
        if (chosen := [sample for sample in samples if sample.difficulty == name])
    }
    return Scores(
        overall=score_of(samples, count_missing=count_missing), operations=operations, difficulties=difficulties
    )
