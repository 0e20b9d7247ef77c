"""From a measured sample and the judge's answer to its four numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scorer.aggregate import average
from scorer.contract import Quantity, SampleReport
from scorer.deviations import Deviation, Profile
from scorer.judges.port import Judgement
from scorer.judges.suspicion import Suspicion
from scorer.sample import Measured

FULL_JUDGEMENT = 10.0
LARGEST = 1e9
"""What a report's numbers are bounded by (scorer.contract, ``Finite``)."""


@dataclass(frozen=True)
class Answer:
    """What a judge said, and what our own look says to that."""

    judgement: Judgement
    suspicion: Suspicion | None = None


def appraised(item: Measured, answer: Answer | None, profile: Profile) -> SampleReport:
    """AC of one sample, and its report. ``answer``: None where nobody was asked.

    Where the edit was not made, an answer changes no number, so nobody needs to be asked.
    """
    sample, explanation = item.task.sample, dict(item.explanation)
    ic, sa, ac, el = item.compliance, item.accuracy, 0.0, item.locality if item.done else 0.0
    if answer is not None:
        judgement = answer.judgement
        explanation["appearance"] = {"score": judgement.score, "reason": judgement.reason, **_suspected(answer)}
        if item.done:
            ac = (judgement.score or 0.0) / FULL_JUDGEMENT
            if ac == 0 and Deviation.STRICT_APPEARANCE not in profile:
                ic = sa = el = 0.0
    ic, sa, ac, el = (_percent(value) for value in (ic, sa, ac, el))
    return SampleReport(
        id=sample.id,
        operation=sample.operation,
        difficulty=sample.difficulty,
        status=item.status,
        reason=item.reason,
        ic=ic,
        sa=sa,
        ac=ac,
        el=el,
        avg=average(ic=ic, sa=sa, ac=ac, el=el),
        explanation={name: _finite(part) for name, part in explanation.items()},
    )


def _suspected(answer: Answer) -> dict[str, Quantity]:
    """Our own look, for the maintainer; it changes no score."""
    if answer.suspicion is None:
        return {}
    return {"distance": answer.suspicion.distance, "suspicious": answer.suspicion.flagged}


def _percent(value: float) -> float:
    """Of 0..1. The official formulas can leave that range or be NaN; a report holds neither."""
    return 100 * min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0


def _finite(part: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Quantities that a report can hold; what is not finite, or beyond its bounds, is said in words."""
    return {name: value if _bounded(value) else str(value) for name, value in part.items()}


def _bounded(value: Quantity) -> bool:
    if isinstance(value, list):
        return all(_bounded(item) for item in value)
    return not isinstance(value, int | float) or abs(value) <= LARGEST
