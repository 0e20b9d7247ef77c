"""The complete, honest archive that every case departs from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.gate_corpus.benchmark import SAMPLES, Case, path_of, size_of
from tests.gate_corpus.pictures import image, saved
from tests.gate_corpus.zips import Part, written


@dataclass(frozen=True)
class Base:
    """``pictures``: a PNG for each sample."""

    rng: np.random.Generator
    pictures: Mapping[str, bytes]

    @property
    def first(self) -> bytes:
        return self.pictures[SAMPLES[0]]

    def parts(self, *more: Part, **changes: Any) -> list[Part]:
        """The complete archive's entries, the first one changed, and ``more``."""
        first, *others = [Part(name=path_of(sample), content=content) for sample, content in self.pictures.items()]
        return [replace(first, **changes), *others, *more]

    def with_first(self, content: bytes, suffix: str = ".png") -> bytes:
        """The complete archive with other content for the first sample."""
        return written(self.parts(name=path_of(SAMPLES[0], suffix), content=content))


def make_base(seed: int) -> Base:
    rng = np.random.default_rng(seed)
    return Base(rng, {sample: saved(image(rng, size_of(sample))) for sample in SAMPLES})


def case(name: str, content: bytes, *codes: str, warnings: Sequence[str] | None = None) -> Case:
    return Case(name, content, frozenset(codes), None if warnings is None else frozenset(warnings))
