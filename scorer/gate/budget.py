"""Memory shared by threads: who wants to hold some waits until there is enough."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """A number of bytes. One that asks for more than all gets all, and then works alone."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._free = total
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, amount: int) -> Iterator[None]:
        """Hold ``amount`` bytes inside the block; waits for others to leave theirs. Not to be nested."""
        amount = min(amount, self._total)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()


_LARGE_FROM = 1024 * 1024
_MMAP_THRESHOLD = -3
"""Of ``mallopt`` (glibc's malloc.h)."""


def keep_nothing_freed() -> None:
    """Have the C library give large pieces of memory back as soon as they are freed; for a process of one's own.

    By itself it keeps what each thread freed for that thread's next piece, up to 32 MiB, as if it were still in use.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_FROM)
