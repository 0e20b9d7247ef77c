"""The port of the object storage, and the keys under which things lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable
from uuid import UUID, uuid4

from server.errors import TooLargeError

CHUNK_BYTES = 1024 * 1024


class Stored(NamedTuple):
    """What was stored, as counted while storing it: size in bytes, lower-case hex sha256."""

    size: int
    sha256: str


class Part(NamedTuple):
    """One part of an object: its number (from 1), its size in bytes, lower-case hex sha256."""

    number: int
    size: int
    sha256: str


class SignedPart(NamedTuple):
    """A request that stores one part, for whoever has it: PUT ``url`` with ``headers`` and the part as the body.

    ``url`` is absolute, or begins with a slash and is a path of this service.
    """

    url: str
    headers: Mapping[str, str]


class Parts(Protocol):
    """Objects that arrive in parts, each sent by somebody else under a signed URL.

    The storage itself takes a part only if its length and its SHA-256 are those that were signed. For one number of one
    upload sign one content only: what is stored under it is then known, whoever sent it and however often.
    """

    @property
    def origin(self) -> str:
        """Scheme, host and port that signed URLs lead to, "" where that is this service: for browsers' policies."""
        ...

    def begin(self, key: str) -> str:
        """Begin an upload of the object ``key``; its id at the storage."""
        ...

    def sign(self, key: str, upload_id: str, part: Part, *, seconds: int) -> SignedPart:
        """A request that stores exactly ``part``, for ``seconds`` from now. Asks nobody."""
        ...

    def arrived(self, key: str, upload_id: str) -> dict[int, int]:
        """The size in bytes of each part that is stored, by number. Raises MissingUploadError."""
        ...

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> int:
        """Make the object of ``parts``, all of which have arrived; its size in bytes, as stored.

        An upload that was completed before answers the same. Raises MissingUploadError when there is neither the upload
        nor its object.
        """
        ...

    def abort(self, key: str) -> None:
        """Throw away the parts of every upload of ``key`` that is not complete; nothing happens when there is none."""
        ...


@runtime_checkable
class TakesParts(Protocol):
    """Parts whose signed URLs lead to this service, which hands over what it receives."""

    def check(self, upload_id: str, signed: SignedClaim) -> None:
        """Whether a URL is ours and still good. Raises BadSignatureError, ExpiredUrlError."""
        ...

    def take(self, upload_id: str, signed: SignedClaim, chunks: Iterable[bytes]) -> None:
        """Store one part.

        Raises BadSignatureError, ExpiredUrlError, MissingUploadError, LengthMismatchError, ChecksumMismatchError, and
        whatever ``chunks`` raises; nothing is left in any of these cases.
        """
        ...


class SignedClaim(NamedTuple):
    """What a signed URL of this service says: the part, until when it is good (Unix seconds), and the seal."""

    part: Part
    expires: int
    signature: str


class Storage(Protocol):
    """Where objects lie. An object appears whole or not at all; keys use forward slashes."""

    @property
    def parts(self) -> Parts:
        """Objects that arrive in parts."""
        ...

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


def download(storage: Storage, key: str, file: Path, *, each: Callable[[], None] | None = None) -> Stored:
    """Write an object to a local file; its size and hash as written. ``each`` is called after every chunk.

    Raises MissingObjectError, and whatever ``each`` raises.
    """
    counted = Counted(storage.read(key))
    with file.open("wb") as out:
        for chunk in counted:
            out.write(chunk)
            if each is not None:
                each()
    return counted.stored


def _chunks_of(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk


class Counted:
    """Passes chunks through while it counts and hashes them; ``stored`` holds when all have passed."""

    def __init__(self, chunks: Iterable[bytes], *, max_bytes: int | None = None) -> None:
        self._chunks = chunks
        self._max_bytes = max_bytes
        self._size = 0
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._size += len(chunk)
            if self._max_bytes is not None and self._size > self._max_bytes:
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


def chunk_key(run_id: UUID, step: str, first: int, count: int) -> str:
    """The key of what a run committed on its way; each attempt has its own, so that two never mix."""
    return f"runs/{run_id}/{step}/{first:06d}-{count}"
