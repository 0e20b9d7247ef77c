"""The journal of a language judge: one line for each finished judgement, so that an interrupted run goes on.

A line is written whole and flushed to the disk before its judgement counts. A line torn by a crash is the last one; it
is dropped when the journal is opened again. One process writes a journal at a time.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationError

from scorer.contract import Name, Operation, RelativePath, Sha256, Strict, Text
from scorer.errors import JudgeError, JudgeUnavailableError

Key = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Said = Annotated[str, StringConstraints(max_length=20_000)]
JudgeScore = Annotated[float, Field(allow_inf_nan=False, ge=0, le=10)]


class QuestionLine(Strict):
    """One line of ``questions.jsonl``: an edit to be judged; the images are paths beside it."""

    schema_: Literal["gsi-question/1"] = Field(default="gsi-question/1", alias="schema")
    key: Key
    original: RelativePath
    edited: RelativePath
    operation: Operation
    instruction: Annotated[str, StringConstraints(max_length=1000)] | None
    target: Annotated[str, StringConstraints(max_length=200)] | None


class Entry(Strict):
    """One finished judgement.

    ``content``: hash of the question (pixels, operation, instruction, target). ``digest``: hash of everything that
    entered (pixels, every word sent, model, revision, sampling). ``score``: None where no reply could be used.
    ``replies``: what the judge said, in order, cut at 20,000 characters each. ``provenance``: who answered.
    """

    schema_: Literal["gsi-judgement/1"] = Field(default="gsi-judgement/1", alias="schema")
    key: Key
    content: Sha256
    digest: Sha256
    score: JudgeScore | None
    reason: Text
    replies: Annotated[list[Said], Field(max_length=100)]
    provenance: dict[str, Name]


class Journal:
    """An append-only file of entries, kept by digest. Thread-safe.

    Raises JudgeError on opening where a line before the last is damaged, JudgeUnavailableError where another process
    writes the file, and
    OSError where the file cannot be written; a line that could not be written whole leaves no trace.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._claim()
            content = path.read_bytes()
            self._end = content.rfind(b"\n") + 1
            os.ftruncate(self._file, self._end)
            self._entries = {entry.digest: entry for entry in parse_journal(content[: self._end], name=path.name)}
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, digest: str) -> Entry | None:
        """The finished judgement of that digest, if there is one."""
        with self._lock:
            return self._entries.get(digest)

    def add(self, entry: Entry) -> None:
        """Write an entry to the disk; the first of a digest stands."""
        line = entry.model_dump_json().encode() + b"\n"
        with self._lock:
            if entry.digest in self._entries:
                return
            try:
                written = os.pwrite(self._file, line, self._end)
                while written < len(line):
                    written += os.pwrite(self._file, line[written:], self._end + written)
                os.fsync(self._file)
            except OSError:
                os.ftruncate(self._file, self._end)
                raise
            self._end += len(line)
            self._entries[entry.digest] = entry

    def close(self) -> None:
        """Let another process have the file."""
        os.close(self._file)

    def _claim(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JudgeUnavailableError(
                f"{self._path.name} is being written by another process; let it end first"
            ) from None


def parse_journal(content: bytes, *, name: str) -> list[Entry]:
    """The entries of a journal's whole lines; a last line without its end is left out. Raises JudgeError."""
    entries = []
    for number, line in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            entries.append(Entry.model_validate_json(line))
        except ValidationError:
            raise JudgeError(
                f"{name}: line {number} is damaged; restore the file from a copy, or delete it to judge anew"
            ) from None
    return entries
