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


_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Of ``mallopt`` (glibc's malloc.h)."""
_KEPT = 8 * 1024 * 1024


def keep_little_freed() -> None:
    """Have the C library give large pieces of memory back as soon as they are freed; for a process of one's own.

    By itself it keeps for each thread what that thread freed, in pieces of up to 32 MiB. Smaller ones are still kept:
    an image of the usual size would cost a tenth more otherwise.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        for option, value in ((_MMAP_THRESHOLD, _KEPT), (_TRIM_THRESHOLD, 2 * _KEPT), (_ARENA_MAX, 4)):
            mallopt(option, value)
