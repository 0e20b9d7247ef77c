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

from scorer.kept import SUFFIX, forget_oldest

Arrays = dict[str, Tensor]


class ArraysOnDisk:
    """One file for each key, put in place whole; least recently used files go when ``most_bytes`` are exceeded.

    Several processes may share the folder, which is made for its owner alone. Whatever is damaged, or cannot be
    written, is made again. ``read_only``: nothing is written or forgotten, and the folder need not be there.
    ``beside``: a folder that is only read, before the first. ``used``: the names of all files that were asked for.
    """

    def __init__(self, folder: Path, *, most_bytes: int, read_only: bool = False, beside: Path | None = None) -> None:
        self._folder, self._most = folder, most_bytes
        self._read_only, self._beside = read_only, beside
        self.used: set[str] = set()
        if not read_only:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays of a key (letters and digits), on the CPU if they were read; ``make`` makes them."""
        name = f"{key}{SUFFIX}"
        self.used.add(name)
        for path in [self._folder / name] if self._beside is None else [self._beside / name, self._folder / name]:
            try:
                found = safetensors.torch.load_file(path)
            except (OSError, SafetensorError):
                continue
            if not self._read_only:
                with contextlib.suppress(OSError):
                    os.utime(path)
            return found
        found = make()
        if not self._read_only:
            with contextlib.suppress(OSError, SafetensorError):  # a full disk costs time, not the result
                self._write(self._folder / name, found)
        return found

    def _write(self, path: Path, arrays: Arrays) -> None:
        partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
        try:
            content = {name: array.cpu().contiguous() for name, array in arrays.items()}
            safetensors.torch.save_file(content, partial)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        forget_oldest(self._folder, most_bytes=self._most, kept=path)
