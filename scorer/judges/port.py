"""What the scorer asks of a judge of appearance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from scorer.contract import CameraData
from scorer.detectors.port import Detection, Image

KEY_VARIABLE = "GSI_JUDGE_API_KEY"
"""Where the key of a judge's endpoint is read from unless another variable is named; it is never an argument."""


class Subject(NamedTuple):
    """One object as it was found in the original and in the edited image; ``after`` is None where it is gone."""

    before: Detection
    after: Detection | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Question:
    """One edit to be judged; both images have the same size.

    ``key``: names the question in journals, unique in a run. ``operation``: move, rotate, scale, remove, view or place.
    ``instruction``: what was asked for; None where the judge may not know it (the official evaluation does not say it).
    ``target``: the object that the instruction names (for remove, and only there, ``after`` may be None); None where no
    object was found. ``others``: the remaining objects that could be matched; remove and view judge them too.
    ``called``: the object's name where its boxes are not at hand, for judges that read.
    """

    key: str
    original: Image
    edited: Image
    operation: str
    instruction: str | None
    camera: CameraData
    target: Subject | None
    others: Sequence[Subject] = ()
    called: str | None = None


@dataclass(frozen=True)
class Judgement:
    """``score`` in 0..10, or None where no judgement could be made; ``reason`` says why, in a sentence."""

    score: float | None
    reason: str


class Judge(Protocol):
    """Compares how an object looks before and after an edit; where it went and how large it is, is not its question."""

    @property
    def name(self) -> str:
        """The version string that reports carry; it changes whenever results can."""
        ...

    @property
    def hermetic(self) -> bool:
        """Whether it needs nothing but the question: no network, no model, no records."""
        ...

    def provenance(self) -> dict[str, str]:
        """What else can change its answers: model, revision, prompt version, sampling."""
        ...

    def judge_all(self, questions: Iterable[Question]) -> Iterator[Judgement]:
        """One judgement for each question, in their order.

        Questions are taken one by one as they can be worked on, so that not all images lie in memory. Raises
        ScorerError where the judge cannot be reached: no answer is not a bad answer.
        """
        ...
