"""One edit judged: the named object, or for removals and changes of view the whole company."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scorer.blocks.camera import Camera
from scorer.detectors.port import Image
from scorer.judges.blocks.comparison import compare
from scorer.judges.blocks.filling import judge_filling
from scorer.judges.blocks.look import look_at
from scorer.judges.port import Judgement, Question, Subject

VERSION = "blocks-judge-1"


@dataclass(frozen=True)
class BlocksJudge:
    """Compares appearance by documented formulas on pixels; deterministic. See docs/blocks.md."""

    name: str = VERSION
    hermetic: bool = True

    def judge_all(self, questions: Iterable[Question]) -> Iterator[Judgement]:
        """See :class:`scorer.judges.port.Judge`; the instruction is not needed."""
        return map(_judge, questions)

    def provenance(self) -> dict[str, str]:
        """Nothing but the version: the formulas have no parameters."""
        return {}


def _judge(question: Question) -> Judgement:
    original, edited, target = question.original, question.edited, question.target
    camera = Camera.of_data(question.camera)
    if original.shape != edited.shape:
        return Judgement(None, "the images differ in size")
    if target is None:
        return Judgement(None, "no object was found that could be compared")
    if question.operation == "remove":
        return _removal(original, edited, camera, target, question.others)
    if question.operation == "view":
        return _company(original, edited, camera, [target, *question.others])
    return _subject(original, edited, camera, target)


def _subject(original: Image, edited: Image, camera: Camera, subject: Subject) -> Judgement:
    if subject.after is None:
        return Judgement(0.0, f"the {subject.before.label} was not found in the edited image")
    before = look_at(original, subject.before, camera)
    after = look_at(edited, subject.after, camera)
    if before is None or after is None:
        return Judgement(None, f"the {subject.before.label} is too small in the image to be compared")
    likeness = compare(before, after)
    parts = ", ".join(f"{name} {value:.2f}" for name, value in likeness._asdict().items())
    return Judgement(10 * likeness.overall, f"{subject.before.label}: {parts}")


def _company(original: Image, edited: Image, camera: Camera, subjects: Sequence[Subject]) -> Judgement:
    judged = [_subject(original, edited, camera, subject) for subject in subjects]
    scores = [one.score for one in judged if one.score is not None]
    if not scores:
        return Judgement(None, "no object is large enough in the image to be compared")
    worst = min((one for one in judged if one.score is not None), key=lambda one: one.score or 0.0)
    return Judgement(float(np.mean(scores)), f"mean of {len(scores)} objects; least alike: {worst.reason}")


def _removal(original: Image, edited: Image, camera: Camera, target: Subject, others: Sequence[Subject]) -> Judgement:
    if target.after is not None:
        return Judgement(0.0, f"the {target.before.label} is still there")
    filling = judge_filling(edited, target.before, camera)
    if filling is None:
        return Judgement(None, f"the place of the {target.before.label} is not in the image")
    parts = ", ".join(f"{name} {value:.2f}" for name, value in filling._asdict().items())
    company = _company(original, edited, camera, others) if others else Judgement(None, "nothing else to compare")
    kept = 1.0 if company.score is None else company.score / 10
    return Judgement(10 * filling.overall * kept, f"filling: {parts}; {company.reason}")
