"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

from server.errors import StorageError

_UNFINISHED = ".upload-"


def unfinished_file(folder: Path) -> Path:
    """A new empty file in ``folder``. Raises FileNotFoundError when there is no such folder."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=_UNFINISHED)
    os.close(descriptor)
    return Path(name)


def write_chunks(file: Path, chunks: Iterable[bytes]) -> None:
    """Write ``chunks`` to ``file`` and have the disk keep them; what the source raises passes through as it is."""
    with file.open("wb", buffering=0) as out:
        for chunk in chunks:
            with translated():
                _write_all(out, chunk)
        with translated():
            os.fsync(out.fileno())


@contextmanager
def translated() -> Iterator[None]:
    """The system's errors on writing become ours."""
    try:
        yield
    except OSError as error:
        raise StorageError("The storage directory cannot be written.") from error


def _write_all(out: RawIOBase, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[out.write(rest) or 0 :]
