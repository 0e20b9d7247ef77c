"""From a measured sample and the judge's answer to its four numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scorer.aggregate import average
from scorer.chunks import Appearance, Judged, MeasuredEdit
from scorer.contract import Quantity, Sample, SampleReport
from scorer.deviations import Deviation, Profile
from scorer.judges.port import Judgement
from scorer.judges.suspicion import is_suspicious
from scorer.sample import Measured

FULL_JUDGEMENT = 10.0
LARGEST = 1e9
"""What a report's numbers are bounded by (scorer.contract, ``Finite``)."""


@dataclass(frozen=True)
class Answer:
    """What a judge said, and how far from the original our own look finds the object (0..1; None: it cannot say)."""

    judgement: Judgement
    distance: float | None = None


def appraised(item: Measured, answer: Answer | None, profile: Profile) -> SampleReport:
    """AC of one sample, and its report. ``answer``: None where nobody was asked.

    Where the edit was not made, an answer changes no number, so nobody needs to be asked.
    """
    unseen = Appearance(target=None, distance=None, judged=Judged(score=None, reason="")) if item.done else None
    return ended(item.task.sample, recorded(item, unseen), answer, profile)


def recorded(item: Measured, appearance: Appearance | None) -> MeasuredEdit:
    """A measured sample as a chunk keeps it; ``appearance`` exactly where the edit was made."""
    return MeasuredEdit(
        status=item.status,
        reason=item.reason,
        made=item.done,
        compliance=_share(item.compliance),
        accuracy=_share(item.accuracy),
        locality=_share(item.locality),
        explanation={name: _finite(part) for name, part in item.explanation.items()},
        appearance=appearance,
    )


def ended(sample: Sample, edit: MeasuredEdit, answer: Answer | None, profile: Profile) -> SampleReport:
    """AC of one sample that was measured at some time, and its report; no picture is needed."""
    explanation = dict(edit.explanation)
    ic, sa, ac, el = edit.compliance, edit.accuracy, 0.0, edit.locality if edit.made else 0.0
    if answer is not None:
        judgement = answer.judgement
        said: dict[str, Quantity] = {"score": judgement.score, "reason": judgement.reason, **_suspected(answer)}
        explanation["appearance"] = _finite(said)
        if edit.made:
            ac = _share((judgement.score or 0.0) / FULL_JUDGEMENT)
            if ac == 0 and Deviation.STRICT_APPEARANCE not in profile:
                ic = sa = el = 0.0
    ic, sa, ac, el = (100 * value for value in (ic, sa, ac, el))
    return SampleReport(
        id=sample.id,
        operation=sample.operation,
        difficulty=sample.difficulty,
        status=edit.status,
        reason=edit.reason,
        ic=ic,
        sa=sa,
        ac=ac,
        el=el,
        avg=average(ic=ic, sa=sa, ac=ac, el=el),
        explanation=explanation,
    )


def _suspected(answer: Answer) -> dict[str, Quantity]:
    """Our own look, for the maintainer; it changes no score."""
    if answer.distance is None:
        return {}
    return {"distance": answer.distance, "suspicious": is_suspicious(answer.judgement.score, answer.distance)}


def _share(value: float) -> float:
    """Of 0..1. The official formulas can leave that range or be NaN; a report holds neither."""
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0


def _finite(part: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Quantities that a report can hold; what is not finite, or beyond its bounds, is said in words."""
    return {name: value if _bounded(value) else str(value) for name, value in part.items()}


def _bounded(value: Quantity) -> bool:
    if isinstance(value, list):
        return all(_bounded(item) for item in value)
    return not isinstance(value, int | float) or abs(value) <= LARGEST
