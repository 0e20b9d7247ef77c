"""Work on many items at a time, one processor thread each, with the results in the order of the items.

One item is one task on one thread, which is faster than several threads for one image and gives the same numbers
however many work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TypeVar

import cv2
import torch

from scorer.in_order import AHEAD, in_order

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], *, workers: int) -> Iterator[Iterator[Result]]:
    """The results of ``work``, in the order of the items; at most ``workers`` items are worked on at a time.

    Items are taken in this thread, at most ``AHEAD * workers`` before their results are asked for. What ``work`` raises
    is raised where its result is asked for; whatever leaves the block, an interrupt too, waits for the items in work
    alone and drops those that wait. Torch and OpenCV compute with one thread per worker inside the block.
    Raises ValueError for less than one worker.
    """
    with _one_thread_each(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            with closing(in_order(pool, work, items, most=AHEAD * workers)) as results:
                yield results
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    torch_threads, opencv_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(torch_threads)
        cv2.setNumThreads(opencv_threads)
