from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scorer.detectors.turns import Turns


def test_all_work_on_a_card_is_done_by_one_thread_one_piece_after_the_other():
    turns, inside, together = Turns("cuda"), threading.Semaphore(1), []

    def work() -> int:
        if not inside.acquire(blocking=False):
            together.append(True)
            return 0
        threading.Event().wait(0.005)
        inside.release()
        return threading.get_ident()

    with ThreadPoolExecutor(4) as pool:
        seen = set(pool.map(lambda _: turns.do(work), range(12)))
    assert len(seen) == 1
    assert threading.get_ident() not in seen
    assert together == []


def test_on_processors_every_thread_works_for_itself():
    turns = Turns("cpu")
    assert turns.do(threading.get_ident) == threading.get_ident()


@pytest.mark.parametrize("device", ["cpu", "cuda:1"])
def test_what_work_raises_reaches_whoever_asked(device):
    def full() -> None:
        raise MemoryError("full")

    with pytest.raises(MemoryError, match="full"):
        Turns(device).do(full)
