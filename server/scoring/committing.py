"""What a run's steps leave on their way, committed as it comes: whoever goes on after a lost worker begins there.

First the content goes into the storage, then one transaction that names the lease's token makes it count. What a worker
of an older token brings is refused, and its objects are deleted again.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

from scorer import chunks
from scorer.contract import ProgressLine, RunManifest
from server.db.pool import transaction
from server.errors import StorageError
from server.scoring import chunk_store, outputs
from server.scoring.heart import Heart
from server.scoring.model import CommittedChunk, Run, Step
from server.scoring.results import UntrustworthyResultError, read_chunk
from server.scoring.tools import LOG, Tools
from server.storage.port import chunk_key

_CHUNK = re.compile(r"[0-9]{6,7}\.json")
_MOST_BYTES = 64 * 1024 * 1024
JOURNAL = "journal.jsonl"


class Keeper:
    """Stores pieces of one step of one run under its lease."""

    def __init__(self, tools: Tools, run: Run, heart: Heart, step: Step) -> None:
        self._tools, self._run, self._step = tools, run, step
        self._heart = heart

    def earlier(self, *, inputs: str | None = None) -> list[tuple[CommittedChunk, bytes]]:
        """What earlier attempts committed. Raises StorageError where it cannot be had as it was stored."""
        with transaction(self._tools.pool) as conn:
            found = chunk_store.of_subset(conn, self._run, self._step, inputs=inputs)
        return [(one, self._content(one)) for one in found]

    def _content(self, chunk: CommittedChunk) -> bytes:
        step = self._tools.now_and_then(self._heart.beat)
        pieces = []
        for piece in self._tools.storage.read(chunk.object_key):
            pieces.append(piece)
            step()
        content = b"".join(pieces)
        if hashlib.sha256(content).hexdigest() != chunk.sha256:
            raise StorageError(f"{chunk.object_key} is not what was stored.")
        return content

    def keep(self, content: bytes, *, inputs: str, first: int, count: int) -> bool:
        """Commit a piece; False when the lease is lost. Raises what may pass (`heart.PASSING`)."""
        key = chunk_key(self._run.id, self._step, first, count)
        stored = self._tools.storage.put(key, [content], max_bytes=len(content))
        piece = CommittedChunk(
            step=self._step, inputs=inputs, first=first, count=count, object_key=key, sha256=stored.sha256
        )
        with transaction(self._tools.pool) as conn:
            ours = chunk_store.add(conn, self._run, piece)
        if not ours:
            LOG.warning("a late chunk of run %s is refused", self._run.id)
            self._tools.storage.delete(key)
        return ours


class Samples:
    """The measured samples of a run, from its scorer's output to the input that holds what is committed."""

    def __init__(
        self, keeper: Keeper, *, manifest: RunManifest, archive_sha256: str, samples: list[str], folder: Path
    ) -> None:
        self._keeper, self._manifest, self._archive = keeper, manifest, archive_sha256
        self._samples, self._unmeasured = samples, set(samples)
        self._folder = folder
        self._inputs: str | None = None
        self._files: dict[str, str] = {}
        self._own: set[str] = set()

    @property
    def progress(self) -> ProgressLine:
        """How many samples are committed."""
        total = len(self._samples)
        return ProgressLine(stage="measure", done=total - len(self._unmeasured), total=total)

    def lay_out(self) -> None:
        """Put what earlier attempts measured into the input folder. Raises StorageError."""
        self._folder.mkdir(mode=0o700)
        for one, content in self._keeper.earlier():
            try:
                self._put(self._read(content, unmeasured=self._unmeasured), content)
            except UntrustworthyResultError as error:  # of another version of the contract: it is measured again
                LOG.warning("%s is left out: %s", one.object_key, error)

    def commit(self, output: Path) -> bool:
        """Commit what the scorer has written since; False when the lease is lost.

        Raises UntrustworthyResultError for what is no chunk of this run, and what may pass.
        """
        for name in outputs.names(output, chunks.FOLDER):
            if _CHUNK.fullmatch(name) and name not in self._own and not self._commit(output, name):
                return False
        return True

    def _commit(self, output: Path, name: str) -> bool:
        content = _read(output, f"{chunks.FOLDER}/{name}")
        chunk = self._read(content, unmeasured=set(self._samples))
        if chunks.file_name(chunk.first) != name or self._inputs not in (None, chunk.inputs):
            raise UntrustworthyResultError("a chunk is not called after its first sample, or has other inputs")
        if self._inputs is None:
            self._inputs = chunk.inputs
            self._forget_others()
        self._read(content, unmeasured=self._unmeasured)
        if not self._keeper.keep(content, inputs=chunk.inputs, first=chunk.first, count=len(chunk.samples)):
            return False
        self._own.add(name)
        self._put(chunk, content)
        return True

    def _read(self, content: bytes, *, unmeasured: set[str]) -> chunks.Chunk:
        return read_chunk(content, manifest=self._manifest, archive_sha256=self._archive, unmeasured=unmeasured)

    def _forget_others(self) -> None:
        """What an earlier attempt measured from other inputs is measured again, and counts no more."""
        stale = [name for name, inputs in self._files.items() if inputs != self._inputs]
        for name in stale:
            (self._folder / name).unlink()
            del self._files[name]
        if stale:
            self._unmeasured = set(self._samples)

    def _put(self, chunk: chunks.Chunk, content: bytes) -> None:
        name = chunks.file_name(chunk.first)
        partial = self._folder / f"{name}.partial"
        partial.write_bytes(content)
        partial.chmod(0o644)
        partial.replace(self._folder / name)
        self._files[name] = chunk.inputs
        self._unmeasured -= {sample.id for sample in chunk.samples}

    def complete(self, *, inputs: str) -> None:
        """All samples are there, of those inputs. Raises UntrustworthyResultError."""
        if self._unmeasured or set(self._files.values()) != {inputs}:
            raise UntrustworthyResultError(f"{len(self._unmeasured)} samples were not measured from the same inputs")


class Lines:
    """The journal of a judge, kept a few lines at a time."""

    def __init__(self, keeper: Keeper, *, judge: dict[str, Any], most: int, seconds: float) -> None:
        self._keeper, self._most, self._seconds = keeper, most, seconds
        self._inputs = hashlib.sha256(json.dumps(judge, sort_keys=True).encode()).hexdigest()
        self._bytes = self._lines = 0
        self._last = time.monotonic()

    def lay_out(self, folder: Path) -> None:
        """Put what this judge has said already into the input folder. Raises StorageError."""
        journal = bytearray()
        for one, content in self._keeper.earlier(inputs=self._inputs):
            if one.first == self._lines:  # else a piece before it is of an attempt that we do not know of
                journal += content
                self._lines += one.count
        self._bytes = len(journal)
        (folder / JOURNAL).write_bytes(journal)

    def commit(self, output: Path, *, all_of_them: bool = False) -> bool:
        """Commit the lines written since, when there are enough or it is time; False when the lease is lost."""
        try:
            with outputs.opened(output, JOURNAL) as file:
                file.seek(self._bytes)
                content = file.read(_MOST_BYTES)
        except outputs.OutputError:
            return True  # it has not begun
        content = content[: content.rfind(b"\n") + 1]
        count = content.count(b"\n")
        due = all_of_them or count >= self._most or time.monotonic() - self._last >= self._seconds
        if not count or not due:
            return True
        if not self._keeper.keep(content, inputs=self._inputs, first=self._lines, count=count):
            return False
        self._bytes, self._lines, self._last = self._bytes + len(content), self._lines + count, time.monotonic()
        return True


def _read(output: Path, name: str) -> bytes:
    try:
        return outputs.read(output, name, most_bytes=_MOST_BYTES)
    except outputs.OutputError as error:
        raise UntrustworthyResultError(str(error)) from error
