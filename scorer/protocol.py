"""The protocol, top to bottom: from a submission's pixels to a report, under every profile that the run names.

For each sample: read the edited image; find the objects in it; ask the profile's rules whether the edit was made (IC)
and how exactly (SA); compare everything outside the target's boxes with the original (the locality gate, EL); where the
edit was made, ask the judge whether the object still looks like itself (AC). Formulas: ``docs/protocol.md``.

The steps are measure, judge and aggregate: here one after the other, in ``scorer.commands.steps`` each in a process of
its own, with chunks and a journal between them. What a participant sent never raises: it scores zero with a reason.
What is ours raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from scorer.aggregate import aggregate
from scorer.appraisal import Answer, ended
from scorer.chunks import Made, MeasuredEdit, MeasuredSample
from scorer.contract import BenchmarkManifest, ProgressLine, Report, Result, SampleReport
from scorer.deviations import Deviation, Profile, profile_named
from scorer.errors import BenchmarkError
from scorer.inputs import Inputs
from scorer.judges.port import Judge, Judgement
from scorer.measuring import Instruments, Measuring, is_question, opened

Progress = Callable[[ProgressLine], None]
Found = Callable[[MeasuredEdit], Judgement]
"""What answers a question that was put to a judge elsewhere."""


def score(*, inputs: Inputs, instruments: Instruments, progress: Progress = lambda line: None) -> Report:
    """Score one subset of one submission. The report depends on the inputs alone, but for its timings.

    As many images as the manifest has threads are measured at a time.

    Raises BenchmarkError where the run's own files do not fit together, SubmissionError for an archive that is no zip.
    """
    judge = required(inputs, instruments)
    began = time.perf_counter()
    with opened(inputs, instruments) as run:
        samples = measured(run, progress)
        judging = time.perf_counter()
        answers = _judged(run, judge, samples, progress)
    timings = {"measure": judging - began, "judge": time.perf_counter() - judging}
    return report(
        run.made,
        samples,
        benchmark=inputs.benchmark,
        found=lambda edit: answers[id(edit)],
        provenance=judge.provenance(),
        timings=timings,
        progress=progress,
    )


def measured(run: Measuring, progress: Progress) -> list[MeasuredSample]:
    """Every sample, in the manifest's order."""
    samples: list[MeasuredSample] = []
    with run.samples(run.inputs.tasks) as found:
        for sample in found:
            samples.append(sample)
            progress(ProgressLine(stage="measure", done=len(samples), total=len(run.inputs.tasks)))
    return samples


def _judged(
    run: Measuring, judge: Judge, samples: Sequence[MeasuredSample], progress: Progress
) -> Mapping[int, Judgement]:
    """The answers that were not given while measuring, by the edit that was asked about."""
    said = judge.judge_all(run.questions(samples))
    answers: dict[int, Judgement] = {}
    for done, sample in enumerate(samples, start=1):
        for profile in run.profiles:
            edit = sample.under[profile.name]
            if is_question(edit):
                answers[id(edit)] = next(said)
        progress(ProgressLine(stage="judge", done=done, total=len(samples)))
    return answers


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


def required(inputs: Inputs, instruments: Instruments) -> Judge:
    """The judge of a run that is scored with what it names, or its report would lie. Raises BenchmarkError."""
    judge = instruments.judge
    asked = (inputs.manifest.detector, inputs.manifest.judge, inputs.manifest.perceptual)
    given = (instruments.detector.name, "nobody" if judge is None else judge.name, instruments.perceptual.name)
    if judge is None or asked != given:
        raise BenchmarkError(f"the run asks for {', '.join(asked)}; this is {', '.join(given)}")
    return judge
