"""From samples to scores. The one place that decides what a missing sample counts: zero, and it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import get_args

from scorer.contract import Difficulty, Operation, SampleReport, Score, Scores

DIMENSIONS = ("ic", "sa", "ac", "el")


def average(*, ic: float, sa: float, ac: float, el: float) -> float:
    """Avg, the mean of the four dimensions, 0..100."""
    return fsum((ic, sa, ac, el)) / 4


def score_of(samples: Sequence[SampleReport]) -> Score:
    """Means over samples, every sample of the manifest counting once. Raises ValueError for none."""
    if not samples:
        raise ValueError("there is no mean over no samples")
    n = len(samples)
    # fsum is exact, so that the means do not depend on the order of samples.
    ic, sa, ac, el = (fsum(getattr(sample, name) for sample in samples) / n for name in DIMENSIONS)
    return Score(
        n=n,
        missing=sum(sample.status != "scored" for sample in samples),
        ic=ic,
        sa=sa,
        ac=ac,
        el=el,
        avg=average(ic=ic, sa=sa, ac=ac, el=el),
    )


def aggregate(samples: Sequence[SampleReport]) -> Scores:
    """Scores over everything, by operation and by difficulty (those that occur, in the contract's order)."""
    operations: dict[Operation, Score] = {
        name: score_of(chosen)
        for name in get_args(Operation)
        if (chosen := [sample for sample in samples if sample.operation == name])
    }
    difficulties: dict[Difficulty, Score] = {
        name: score_of(chosen)
        for name in get_args(Difficulty)
        if (chosen := [sample for sample in samples if sample.difficulty == name])
    }
    return Scores(overall=score_of(samples), operations=operations, difficulties=difficulties)
