"""Objects as files below one directory: for one machine, and for tests."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from server.errors import MissingObjectError, StorageError
from server.storage.local_parts import LocalParts, is_folder_object, read_folder_object, remove_folder
from server.storage.port import CHUNK_BYTES, Counted, Stored
from server.storage.writing import translated, unfinished_file, write_chunks

_TRIES = 20


class LocalStorage:
    """A directory. Files are written beside their place and renamed into it, so a reader never sees half of one.

    ``url_key`` seals the URLs of parts; all processes of a service need the same. Without one they are good for this
    process alone.
    """

    def __init__(self, root: Path, *, url_key: bytes | None = None) -> None:
        self._root = root
        self._parts = LocalParts(root, key=url_key or secrets.token_bytes(32))

    @property
    def parts(self) -> LocalParts:
        """See `Storage.parts`."""
        return self._parts

    def put(self, key: str, chunks: Iterable[bytes], *, max_bytes: int) -> Stored:
        """See `Storage.put`."""
        target = self._path(key)
        counted = Counted(chunks, max_bytes=max_bytes)
        with translated():
            temporary = _unfinished_file(target.parent)
        try:
            write_chunks(temporary, counted)
            with translated():
                temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            self._remove_empty(target.parent)
            raise
        return counted.stored

    def read(self, key: str) -> Iterator[bytes]:
        """See `Storage.read`."""
        if is_folder_object(self._path(key)):
            return read_folder_object(self._path(key))
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
        path = self._path(key)
        return path.is_file() or is_folder_object(path)

    def delete(self, key: str) -> None:
        """See `Storage.delete`; also removes the folders that this leaves empty."""
        path = self._path(key)
        with translated():
            if is_folder_object(path):
                remove_folder(path)
            else:
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
        with translated():
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
            return unfinished_file(folder)
        except (FileNotFoundError, FileExistsError):  # it went while we looked, at whichever moment
            continue
    raise FileNotFoundError(folder)
