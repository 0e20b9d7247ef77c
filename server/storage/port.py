"""The port of the object storage, and the keys under which things lie."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID, uuid4

from server.errors import TooLargeError

CHUNK_BYTES = 1024 * 1024


class Stored(NamedTuple):
    """What was stored, as counted while storing it: size in bytes, lower-case hex sha256."""

    size: int
    sha256: str


class Storage(Protocol):
    """Where objects lie. An object appears whole or not at all; keys use forward slashes."""

    def put(self, key: str, chunks: Iterable[bytes], *, max_bytes: int) -> Stored:
        """Store a stream under ``key``.

        Raises TooLargeError beyond ``max_bytes``, StorageError when the storage fails, and whatever ``chunks`` raises;
        nothing is left in any of these cases.
        """
        ...

    def read(self, key: str) -> Iterator[bytes]:
        """The object in chunks. Raises MissingObjectError before the first chunk when there is none."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object under ``key``."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""
        ...

    def check(self) -> None:
        """Raises StorageError when the storage cannot be used now."""
        ...


def put_file(storage: Storage, key: str, file: Path) -> Stored:
    """Store a local file under ``key``."""
    return storage.put(key, _chunks_of(file), max_bytes=file.stat().st_size)


def download(storage: Storage, key: str, file: Path) -> None:
    """Write an object to a local file. Raises MissingObjectError."""
    with file.open("wb") as out:
        for chunk in storage.read(key):
            out.write(chunk)


def _chunks_of(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk


class Counted:
    """Passes chunks through while it counts and hashes them; ``stored`` holds when all have passed."""

    def __init__(self, chunks: Iterable[bytes], *, max_bytes: int) -> None:
        self._chunks = chunks
        self._max_bytes = max_bytes
        self._size = 0
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._size += len(chunk)
            if self._size > self._max_bytes:
                raise TooLargeError(f"More than the {self._max_bytes:,} bytes allowed.")
            self._hash.update(chunk)
            yield chunk

    @property
    def stored(self) -> Stored:
        """Size and hash of what has passed."""
        return Stored(self._size, self._hash.hexdigest())


def new_archive_key(submission_id: UUID) -> str:
    """A key for one upload of a submission's archive; each upload gets its own, so that two never mix."""
    return f"submissions/{submission_id}/{uuid4()}.zip"


def benchmark_key(benchmark_id: str, version: str, part: str) -> str:
    """The key of a benchmark's ``public`` or ``hidden`` part."""
    return f"benchmarks/{benchmark_id}/{version}/{part}.zip"


def report_key(run_id: UUID) -> str:
    """The key of a run's report."""
    return f"runs/{run_id}/report.json"
