"""What the scorer asks of a judge of appearance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from scorer.blocks.camera import Camera
from scorer.detectors.port import Detection, Image


class Subject(NamedTuple):
    """One object as it was found in the original and in the edited image; ``after`` is None where it is gone."""

    before: Detection
    after: Detection | None


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

    def judge(
        self,
        *,
        original: Image,
        edited: Image,
        operation: str,
        instruction: str,
        camera: Camera,
        target: Subject,
        others: Sequence[Subject] = (),
    ) -> Judgement:
        """Judge one edit; both images have the same size.

        ``operation``: move, rotate, scale, remove, view or place. ``target``: the object that the instruction names
        (for remove, and only there, ``after`` may be None). ``others``: the remaining objects that could be matched;
        remove and view judge them too, the other operations do not need them.
        """
        ...
