"""A bounded folder of named arrays that can be made again: a cache, never a store."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

Arrays = dict[str, Tensor]

_SUFFIX = ".safetensors"


class ArraysOnDisk:
    """One file for each key, put in place whole; least recently used files go when ``most_bytes`` are exceeded.

    Several processes may share the folder, which is made for its owner alone. Whatever is damaged, or cannot be
    written, is made again.
    """

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder, self._most = folder, most_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays of a key (letters and digits), on the CPU if they were read; ``make`` makes them."""
        path = self._folder / f"{key}{_SUFFIX}"
        try:
            found = safetensors.torch.load_file(path)
        except (OSError, SafetensorError):
            found = make()
            with contextlib.suppress(OSError, SafetensorError):  # a full disk costs time, not the result
                self._write(path, found)
            return found
        with contextlib.suppress(OSError):  # a sandbox may read the folder and not touch it
            os.utime(path)
        return found

    def _write(self, path: Path, arrays: Arrays) -> None:
        partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
        try:
            content = {name: array.cpu().contiguous() for name, array in arrays.items()}
            safetensors.torch.save_file(content, partial)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        self._forget(kept=path)

    def _forget(self, *, kept: Path) -> None:
        files = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                state = path.stat()
                files.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._most:
                return
            if path != kept:
                path.unlink(missing_ok=True)
                total -= size
