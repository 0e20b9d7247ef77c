"""Who computes: on processors every thread for itself, on a card one thread for all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """Work on a device, named as torch names it.

    A card takes one image at a time, and always from the same thread: torch keeps recorded CUDA graphs and their memory
    for each thread, so that every thread of a run would record its own, and some versions refuse any other than the
    first.
    """

    def __init__(self, device: str) -> None:
        self._thread = None if device == "cpu" else ThreadPoolExecutor(1, thread_name_prefix=device)

    def do(self, work: Callable[[], T]) -> T:
        """What ``work`` gives or raises, when its turn has come."""
        return work() if self._thread is None else self._thread.submit(work).result()
