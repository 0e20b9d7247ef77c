"""What a language judge is told of an edit: the two pictures and a few words, no boxes and no ground truth."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image as Pillow

from scorer.contract import CameraData
from scorer.detectors.port import Image
from scorer.judges.port import Question


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One edit as a language judge sees it.

    ``original`` and ``edited``: RGB (height, width, 3) uint8 of one size. ``instruction``: None where the judge may not
    know what was asked for; then it is told neither operation nor target. ``target``: the object's name, if any.
    """

    key: str
    original: Image
    edited: Image
    operation: str
    instruction: str | None
    target: str | None

    def __post_init__(self) -> None:
        for image in (self.original, self.edited):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
                raise ValueError(f"question {self.key}: an image must be (height, width, 3) uint8")
        if self.original.shape != self.edited.shape:
            raise ValueError(f"question {self.key}: the images differ in size")

    @classmethod
    def of(cls, question: Question) -> Case:
        """The case that a question puts."""
        return cls(
            key=question.key,
            original=question.original,
            edited=question.edited,
            operation=question.operation,
            instruction=question.instruction,
            target=question.called if question.target is None else question.target.before.label,
        )

    def question(self, *, camera: CameraData) -> Question:
        """The question as a judge that reads is put it, without boxes."""
        return Question(
            key=self.key,
            original=self.original,
            edited=self.edited,
            operation=self.operation,
            instruction=self.instruction,
            camera=camera,
            target=None,
            called=self.target,
        )

    @cached_property
    def pixels(self) -> tuple[str, str]:
        """SHA-256 of both images' pixels, whatever file they came from."""
        return sha256_of_pixels(self.original), sha256_of_pixels(self.edited)

    @cached_property
    def content(self) -> str:
        """SHA-256 of everything but the key: two cases of the same content are the same question."""
        return sha256_of_parts([*self.pixels, self.operation, self.instruction, self.target])


def sha256_of_pixels(image: Image) -> str:
    """SHA-256 of the size and the RGB values of an image (height, width, 3) uint8."""
    height, width = image.shape[:2]
    return hashlib.sha256(f"rgb {height} {width}\n".encode() + image.tobytes()).hexdigest()


def sha256_of_parts(parts: Sequence[object]) -> str:
    """SHA-256 of plain values, told apart by their place: their JSON with sorted keys."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def png(image: Image) -> bytes:
    """A PNG of the pixels alone. What a participant's file held beside them never leaves the scorer."""
    stream = io.BytesIO()
    Pillow.fromarray(image).save(stream, format="PNG", compress_level=3)
    return stream.getvalue()
