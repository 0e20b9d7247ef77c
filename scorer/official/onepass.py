"""Edit locality of many edited images in one pass: each is decoded, processed and sent through the network once.

What the original decides comes from the cache. Images are measured side by side, one processor thread each, which is
faster than several threads for one image and gives the same numbers however many work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

from scorer.geometry import FloatArray
from scorer.official.imaging import UnmeasurableError, fitted, processed
from scorer.official.locality import Locality, kept_mask, locality
from scorer.originals import Originals, Picture, read

_AHEAD = 2


class Job(NamedTuple):
    """One comparison: the original, the edited image's file, the rectangles (in the frame) that are left out."""

    original: Picture
    size: tuple[int, int]
    edited: Path
    rectangles: list[FloatArray]


def measure(job: Job, *, originals: Originals) -> Locality:
    """One comparison. ``job.size`` is the original's (height, width), to which the edited image is resized.

    Raises UnmeasurableError where the official evaluation would stop, or the edited image cannot be read.
    """
    height, width = job.size
    edited = processed(fitted(read(job.edited), height=height, width=width)).to(originals.device)
    kept = kept_mask(job.rectangles, height=edited.shape[1], width=edited.shape[2])
    return locality(originals.share(job.original), edited, kept=kept, network=originals.network)


def measure_all(
    jobs: Iterable[Job], *, originals: Originals, workers: int = 1
) -> Iterator[Locality | UnmeasurableError]:
    """Many comparisons, ``workers`` at a time, in the order of the jobs; what cannot be measured gives its error.

    Samples of one original should follow each other. Torch computes with one thread per worker meanwhile.
    """
    with _one_thread_each(), ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        waiting: deque[Future[Locality | UnmeasurableError]] = deque()
        for job in jobs:
            waiting.append(pool.submit(_outcome, job, originals))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _outcome(job: Job, originals: Originals) -> Locality | UnmeasurableError:
    try:
        return measure(job, originals=originals)
    except UnmeasurableError as error:
        return error


@contextmanager
def _one_thread_each() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
