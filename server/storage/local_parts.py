"""Parts of objects in a local directory, under signed URLs of our own service.

An upload is a folder below `.parts`, one file for each part that has arrived whole. Completing it renames the folder to
the object's place: no byte is copied, however large it is, and who still sends a part finds the folder gone.
"""

from __future__ import annotations

import hashlib
import hmac
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

from server.errors import (
    BadSignatureError,
    ChecksumMismatchError,
    ExpiredUrlError,
    LengthMismatchError,
    MissingUploadError,
    TooLargeError,
)
from server.storage.port import CHUNK_BYTES, Counted, Part, SignedClaim, SignedPart
from server.storage.writing import translated, unfinished_file, write_chunks

_FOLDER = ".parts"
_MADE_OF = "made-of"
"""In an object that is a folder: a file with the number of its parts. Without it a folder is no object."""


class LocalParts:
    """See `server.storage.port.Parts` and `TakesParts`; ``key`` seals the URLs."""

    origin = ""

    def __init__(self, root: Path, *, key: bytes) -> None:
        self._root = root
        self._key = key

    def begin(self, key: str) -> str:
        """See `Parts.begin`; one object has one folder, so that beginning again goes on."""
        name = _name(key)
        with translated():
            (self._root / _FOLDER / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        return name

    def sign(self, key: str, upload_id: str, part: Part, *, seconds: int) -> SignedPart:
        """See `Parts.sign`; the URL is a path of this service."""
        expires = int(time.time()) + seconds
        query = {"bytes": part.size, "sha256": part.sha256, "expires": expires}
        query["signature"] = self._seal(upload_id, part, expires)
        return SignedPart(f"/api/v1/parts/{upload_id}/{part.number}?{urlencode(query)}", {})

    def check(self, upload_id: str, signed: SignedClaim) -> None:
        """See `TakesParts.check`."""
        if not hmac.compare_digest(self._seal(upload_id, signed.part, signed.expires), signed.signature):
            raise BadSignatureError
        if signed.expires < time.time():
            raise ExpiredUrlError

    def take(self, upload_id: str, signed: SignedClaim, chunks: Iterable[bytes]) -> None:
        """See `TakesParts.take`."""
        self.check(upload_id, signed)
        folder = self._upload(upload_id)
        temporary = _new_part(folder)
        try:
            _write(temporary, signed.part, chunks)
            temporary.replace(folder / _file(signed.part.number))
        except FileNotFoundError as gone:
            raise MissingUploadError from gone
        finally:
            temporary.unlink(missing_ok=True)

    def arrived(self, key: str, upload_id: str) -> dict[int, int]:
        """See `Parts.arrived`."""
        with translated():
            found = [path for path in self._upload(upload_id).iterdir() if path.name.isdigit()]
            return {int(path.name): path.stat().st_size for path in sorted(found)}

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> int:
        """See `Parts.complete`."""
        target = self._root / key
        if not is_folder_object(target):
            folder = self._upload(upload_id)
            with translated():
                (folder / _MADE_OF).write_text(str(len(parts)))
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                folder.rename(target)
        with translated():
            return sum(path.stat().st_size for path in _files_of(target))

    def abort(self, key: str) -> None:
        """See `Parts.abort`."""
        folder = self._root / _FOLDER / _name(key)
        with translated():
            remove_folder(folder)
            if folder.parent.is_dir() and not any(folder.parent.iterdir()):
                folder.parent.rmdir()

    def _upload(self, upload_id: str) -> Path:
        folder = self._root / _FOLDER / upload_id
        if not upload_id.isalnum() or not folder.is_dir():
            raise MissingUploadError
        return folder

    def _seal(self, upload_id: str, part: Part, expires: int) -> str:
        words = "\n".join(map(str, (upload_id, *part, expires)))
        return hmac.new(self._key, words.encode(), hashlib.sha256).hexdigest()


def is_folder_object(path: Path) -> bool:
    """Whether an object made of parts lies at ``path``."""
    return (path / _MADE_OF).is_file()


def read_folder_object(path: Path) -> Iterator[bytes]:
    """The object at ``path`` in chunks."""
    for file in _files_of(path):
        with file.open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk


def remove_folder(folder: Path) -> None:
    """Remove a folder and its files; a part that arrives meanwhile does not keep it."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    raise OSError(f"{folder} cannot be removed")


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _file(number: int) -> str:
    return f"{number:05d}"


def _files_of(path: Path) -> list[Path]:
    return [path / _file(number) for number in range(1, int((path / _MADE_OF).read_text()) + 1)]


def _new_part(folder: Path) -> Path:
    try:
        return unfinished_file(folder)
    except FileNotFoundError as gone:
        raise MissingUploadError from gone


def _write(file: Path, part: Part, chunks: Iterable[bytes]) -> None:
    counted = Counted(chunks, max_bytes=part.size)
    try:
        write_chunks(file, counted)
    except TooLargeError as more:
        raise LengthMismatchError(f"More came than the {part.size:,} bytes that were signed.") from more
    if counted.stored.size != part.size:
        raise LengthMismatchError(f"{counted.stored.size:,} bytes came of the {part.size:,} that were signed.")
    if counted.stored.sha256 != part.sha256:
        raise ChecksumMismatchError
