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
from collections.abc import Mapping, Sequence

from scorer.chunks import MeasuredSample
from scorer.contract import ProgressLine, Report
from scorer.errors import BenchmarkError
from scorer.inputs import Inputs
from scorer.judges.port import Judge, Judgement
from scorer.measuring import Instruments, Measuring, is_question, opened
from scorer.reporting import Progress, report


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


def required(inputs: Inputs, instruments: Instruments) -> Judge:
    """The judge of a run that is scored with what it names, or its report would lie. Raises BenchmarkError."""
    judge = instruments.judge
    asked = (inputs.manifest.detector, inputs.manifest.judge, inputs.manifest.perceptual)
    given = (instruments.detector.name, "nobody" if judge is None else judge.name, instruments.perceptual.name)
    if judge is None or asked != given:
        raise BenchmarkError(f"the run asks for {', '.join(asked)}; this is {', '.join(given)}")
    return judge
