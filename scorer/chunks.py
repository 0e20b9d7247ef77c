"""What passes between the steps of a run: samples that were measured, in chunks that are kept as they come.

A chunk holds all that the end of a sample's scoring needs under every profile, so that nothing is measured twice and
the last step needs no picture. Pydantic and the standard library only: the service reads chunks without torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from scorer.contract import Count, Finite, Identifier, Name, Quantity, RunManifest, SampleStatus, Sha256, Strict, Text

FOLDER = "chunks"
"""Of a run's input: the chunks that are committed. Of its output: those that this process measured."""
SIZE_FILE = "chunk-size.json"

Unit = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
JudgeScore = Annotated[float, Field(allow_inf_nan=False, ge=0, le=10)]


class ChunkSize(Strict):
    """How large chunks are (``chunk-size.json``).

    ``samples``: how many may be measured and not yet committed; ``seconds``: how long a chunk may take. ``awaited``:
    somebody commits chunks by putting them into the input folder, and what is not committed stays within the bound.
    Chunks are cut at half of both, so that the next is measured while one is committed.
    """

    samples: Annotated[int, Field(ge=1, le=100_000)] = 16
    seconds: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] = 30.0
    awaited: bool = False

    @property
    def piece(self) -> int:
        """The samples of one chunk."""
        return max(1, self.samples // 2)


class Judged(Strict):
    """The answer of a judge that needs nothing but the pictures."""

    score: JudgeScore | None
    reason: Text


class Appearance(Strict):
    """An edit that was made, as the judging needs it.

    ``content``: of the question to a language judge, by which its journal answers; None where ``judged`` holds the
    answer. ``target``: the object's name, if any. ``distance``: our own look at it, 0..1; None where it cannot be seen.
    """

    content: Sha256 | None = None
    target: Annotated[str, StringConstraints(max_length=200)] | None
    distance: Unit | None
    judged: Judged | None = None

    @model_validator(mode="after")
    def _has_one_answer(self) -> Appearance:
        if (self.content is None) == (self.judged is None):
            raise ValueError("an edit is either judged already or a question to be found again")
        return self


class MeasuredEdit(Strict):
    """One sample under one profile, before the judge. ``made``: whether the edit was, so that there is an answer.

    ``compliance``, ``accuracy``, ``locality``: IC, SA, EL, 0..1. ``explanation``: as in reports; hidden data.
    """

    status: SampleStatus
    reason: Text
    made: bool
    compliance: Unit
    accuracy: Unit
    locality: Unit
    explanation: dict[str, dict[str, Quantity]]
    appearance: Appearance | None = None

    @model_validator(mode="after")
    def _is_asked_about_if_made(self) -> MeasuredEdit:
        if self.made != (self.appearance is not None):
            raise ValueError("an edit has an appearance exactly if it was made")
        return self


class MeasuredSample(Strict):
    """One sample under each profile of the run."""

    id: Identifier
    under: Annotated[dict[Identifier, MeasuredEdit], Field(min_length=1, max_length=9)]


class Chunk(Strict):
    """Consecutive samples of one run, in the manifest's order (``chunks/NNNNNN.json``).

    ``inputs``: hash of all that their numbers depend on; chunks of different ``inputs`` never meet in a report.
    ``first``: the place of the first sample in its subset, from 0. ``seconds``: how long they took.
    """

    schema_: Literal["gsi-chunk/1"] = Field(default="gsi-chunk/1", alias="schema")
    inputs: Sha256
    manifest: RunManifest
    versions: dict[str, Name]
    weights: dict[str, Sha256]
    archive_sha256: Sha256
    first: Count
    seconds: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
    samples: Annotated[list[MeasuredSample], Field(min_length=1, max_length=100_000)]

    @model_validator(mode="after")
    def _is_of_its_inputs(self) -> Chunk:
        if self.inputs != Made.of(self).fingerprint:
            raise ValueError("the chunk's inputs are not those that it names")
        asked = set(self.manifest.protocols)
        if any(set(sample.under) != asked for sample in self.samples):
            raise ValueError(f"a sample is not measured under exactly {sorted(asked)}")
        return self


class Measured(Strict):
    """The end of the measuring (``measured.json``): which chunks are the run's, and how many samples they hold."""

    schema_: Literal["gsi-measured/1"] = Field(default="gsi-measured/1", alias="schema")
    inputs: Sha256
    n: Count


class Made(Strict):
    """Everything that a measured number depends on; how many threads computed is no part of it."""

    manifest: RunManifest
    versions: dict[str, Name]
    weights: dict[str, Sha256]
    archive_sha256: Sha256

    @classmethod
    def of(cls, chunk: Chunk) -> Made:
        """What a chunk says."""
        return cls.model_construct(
            manifest=chunk.manifest,
            versions=chunk.versions,
            weights=chunk.weights,
            archive_sha256=chunk.archive_sha256,
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all of it."""
        content = self.model_dump(mode="json", exclude={"manifest": {"threads"}})
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def chunk(self, samples: Sequence[MeasuredSample], *, first: int, seconds: Finite) -> Chunk:
        """Some samples that were made so."""
        return Chunk(
            inputs=self.fingerprint,
            manifest=self.manifest,
            versions=self.versions,
            weights=self.weights,
            archive_sha256=self.archive_sha256,
            first=first,
            seconds=seconds,
            samples=list(samples),
        )


def file_name(first: int) -> str:
    """Of the chunk that begins there."""
    return f"{first:06d}.json"


def write(folder: Path, chunk: Chunk) -> None:
    """Put a chunk into a folder, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(chunk.first)
    partial = path.with_suffix(".partial")
    partial.write_text(chunk.model_dump_json() + "\n", encoding="utf-8")
    os.replace(partial, path)


def read(folder: Path, *, inputs: str | None = None) -> list[Chunk]:
    """The chunks of a folder, of these ``inputs`` alone if given, by their first sample.

    What was measured from other inputs, by another version, or cannot be read is no part of this run: it is left out.
    """
    found = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            chunk = Chunk.model_validate_json(path.read_bytes())
        except ValidationError:
            continue
        if inputs in (None, chunk.inputs):
            found.append(chunk)
    return found


def size_of(folder: Path) -> ChunkSize:
    """What a run's folder says of the size of chunks; the defaults where it says nothing."""
    path = folder / SIZE_FILE
    return ChunkSize.model_validate_json(path.read_bytes()) if path.is_file() else ChunkSize()


def cut(samples: Iterable[MeasuredSample], size: ChunkSize) -> Iterator[tuple[list[MeasuredSample], float]]:
    """Samples as they come, a chunk at a time, each with the seconds that it took."""
    piece: list[MeasuredSample] = []
    began = time.perf_counter()
    for sample in samples:
        piece.append(sample)
        took = time.perf_counter() - began
        if len(piece) >= size.piece or took >= size.seconds / 2:
            yield piece, took
            piece, began = [], time.perf_counter()
    if piece:
        yield piece, time.perf_counter() - began


class Pace:
    """Holds the measuring up where more than a chunk would be lost with its process.

    ``committed``: the folder in which chunks appear once they are safe. ``ahead``: samples that are taken before their
    results are asked for; fewer are never allowed, or nothing would move.
    """

    def __init__(self, size: ChunkSize, *, committed: Path, ahead: int, pause: float = 0.02) -> None:
        self._most = max(size.samples, ahead + size.piece)
        self._awaited, self._committed, self._pause = size.awaited, committed, pause
        self._written: deque[tuple[str, int]] = deque()
        self._open = 0

    def begin(self) -> None:
        """Before a sample is taken: waits until it may be."""
        while self._awaited and self._open >= self._most:
            if not self._settle():
                time.sleep(self._pause)
        self._open += 1

    def wrote(self, chunk: Chunk) -> None:
        """A chunk is whole, and waits to be committed."""
        self._written.append((file_name(chunk.first), len(chunk.samples)))

    def _settle(self) -> bool:
        settled = False
        while self._written and (self._committed / self._written[0][0]).exists():
            self._open -= self._written.popleft()[1]
            settled = True
        return settled
