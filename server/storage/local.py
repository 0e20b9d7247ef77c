"""Objects as files below one directory: for one machine, and for tests."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path, PurePosixPath

from server.errors import MissingObjectError, StorageError
from server.storage.port import CHUNK_BYTES, Counted, Stored

_UNFINISHED = ".upload-"
_TRIES = 20


class LocalStorage:
    """A directory. Files are written beside their place and renamed into it, so a reader never sees half of one."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, chunks: Iterable[bytes], *, max_bytes: int) -> Stored:
        """See `Storage.put`."""
        target = self._path(key)
        counted = Counted(chunks, max_bytes=max_bytes)
        with _translated():
            temporary = _unfinished_file(target.parent)
        try:
            with temporary.open("wb", buffering=0) as out:
                for chunk in counted:  # what the source raises passes through as it is
                    with _translated():
                        _write_all(out, chunk)
                with _translated():
                    os.fsync(out.fileno())
            with _translated():
                temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            self._remove_empty(target.parent)
            raise
        return counted.stored

    def read(self, key: str) -> Iterator[bytes]:
        """See `Storage.read`."""
        try:
            source = self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise MissingObjectError from error
        except OSError as error:
            raise StorageError("The storage directory cannot be read.") from error

        def chunks() -> Iterator[bytes]:
            with source:
                while chunk := source.read(CHUNK_BYTES):
                    yield chunk

        return chunks()

    def exists(self, key: str) -> bool:
        """See `Storage.exists`."""
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """See `Storage.delete`; also removes the folders that this leaves empty."""
        path = self._path(key)
        with _translated():
            path.unlink(missing_ok=True)
        self._remove_empty(path.parent)

    def _remove_empty(self, folder: Path) -> None:
        """Remove ``folder`` and those above it as far as they are empty; the root stays."""
        while folder != self._root:
            try:
                folder.rmdir()
            except OSError:
                break
            folder = folder.parent

    def check(self) -> None:
        """See `Storage.check`; where the directory is stands in the chained error, for the log alone."""
        with _translated():
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(self._root, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self._root))

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or any(part in {"..", "."} for part in parts):
            raise StorageError(f"Not a key: {key!r}")
        return self._root.joinpath(*parts)


def _unfinished_file(folder: Path) -> Path:
    """A new empty file in ``folder``, which is made; made again when a `delete` at that moment took it for deserted."""
    for _ in range(_TRIES):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, name = tempfile.mkstemp(dir=folder, prefix=_UNFINISHED)
        except (FileNotFoundError, FileExistsError):  # it went while we looked, at whichever moment
            continue
        os.close(descriptor)
        return Path(name)
    raise FileNotFoundError(folder)


@contextmanager
def _translated() -> Iterator[None]:
    """The system's errors on writing become ours."""
    try:
        yield
    except OSError as error:
        raise StorageError("The storage directory cannot be written.") from error


def _write_all(out: RawIOBase, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[out.write(rest) or 0 :]
