"""The last step: from measured samples and a judge's answers to a report. No picture, no network, no torch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scorer.aggregate import aggregate, average
from scorer.chunks import Made, MeasuredEdit, MeasuredSample
from scorer.contract import BenchmarkManifest, ProgressLine, Quantity, Report, Result, Sample, SampleReport
from scorer.deviations import Deviation, Profile, profile_named
from scorer.errors import BenchmarkError
from scorer.judges.port import Judgement
from scorer.judges.suspicion import is_suspicious

Progress = Callable[[ProgressLine], None]
Found = Callable[[MeasuredEdit], Judgement]
"""What answers a question that was put to a judge elsewhere."""

FULL_JUDGEMENT = 10.0
LARGEST = 1e9
"""What a report's numbers are bounded by (scorer.contract, ``Finite``)."""


@dataclass(frozen=True)
class Answer:
    """What a judge said, and how far from the original our own look finds the object (0..1; None: it cannot say)."""

    judgement: Judgement
    distance: float | None = None


def report(
    made: Made,
    samples: Sequence[MeasuredSample],
    *,
    benchmark: BenchmarkManifest,
    found: Found,
    provenance: Mapping[str, str],
    timings: Mapping[str, float],
    progress: Progress = lambda line: None,
) -> Report:
    """The last step: what the profiles make of all samples of a subset, whoever measured them, whenever.

    Raises BenchmarkError where samples are missing, doubled or unknown.
    """
    began = time.perf_counter()
    profiles = [profile_named(name) for name in made.manifest.protocols]
    results = {profile.name: _result(samples, profile, made, benchmark, found) for profile in profiles}
    progress(ProgressLine(stage="aggregate", done=1, total=1))
    took = {**timings, "aggregate": time.perf_counter() - began}
    return Report(
        manifest=made.manifest,
        versions=dict(sorted({**made.versions, **provenance}.items())),
        weights=made.weights,
        archive_sha256=made.archive_sha256,
        results=results,
        timings={**took, "total": sum(took.values())},
    )


def _result(
    samples: Sequence[MeasuredSample], profile: Profile, made: Made, benchmark: BenchmarkManifest, found: Found
) -> Result:
    by_id = {sample.id: sample for sample in samples}
    asked = benchmark.of_subset(made.manifest.subset)
    if len(by_id) != len(samples) or set(by_id) != {sample.id for sample in asked}:
        raise BenchmarkError(f"{len(samples)} samples were measured where the subset has other {len(asked)}")
    edits = ((sample, by_id[sample.id].under[profile.name]) for sample in asked)
    return result_of([ended(sample, edit, _answer(edit, found), profile) for sample, edit in edits], profile)


def _answer(edit: MeasuredEdit, found: Found) -> Answer | None:
    if edit.appearance is None:
        return None
    judged = edit.appearance.judged
    judgement = Judgement(judged.score, judged.reason) if judged is not None else found(edit)
    return Answer(judgement, edit.appearance.distance)


def result_of(samples: list[SampleReport], profile: Profile) -> Result:
    """What a profile makes of all samples of a subset."""
    return Result(
        deviations=profile.listed,
        scores=aggregate(samples, count_missing=Deviation.COUNT_MISSING in profile),
        missing=[sample.id for sample in samples if sample.status != "scored"],
        samples=samples,
    )


def ended(sample: Sample, edit: MeasuredEdit, answer: Answer | None, profile: Profile) -> SampleReport:
    """AC of one sample that was measured at some time, and its report; no picture is needed."""
    explanation = dict(edit.explanation)
    ic, sa, ac, el = edit.compliance, edit.accuracy, 0.0, edit.locality if edit.made else 0.0
    if answer is not None:
        judgement = answer.judgement
        said: dict[str, Quantity] = {"score": judgement.score, "reason": judgement.reason, **_suspected(answer)}
        explanation["appearance"] = bounded(said)
        if edit.made:
            ac = share((judgement.score or 0.0) / FULL_JUDGEMENT)
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


def share(value: float) -> float:
    """Of 0..1. The official formulas can leave that range or be NaN; a report holds neither."""
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0


def bounded(part: Mapping[str, Quantity]) -> dict[str, Quantity]:
    """Quantities that a report can hold; what is not finite, or beyond its bounds, is said in words."""
    return {name: value if _is_bounded(value) else str(value) for name, value in part.items()}


def _is_bounded(value: Quantity) -> bool:
    if isinstance(value, list):
        return all(_is_bounded(item) for item in value)
    return not isinstance(value, int | float) or abs(value) <= LARGEST
