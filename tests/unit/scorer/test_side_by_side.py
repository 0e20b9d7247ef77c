from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import cv2
import pytest
import torch

from scorer.side_by_side import AHEAD, side_by_side

PATIENCE = 10


def test_results_come_in_the_order_of_the_items_whoever_is_ready_first():
    last = threading.Event()

    def work(item: int) -> int:
        if item == 2:
            last.set()
        elif item == 0:
            assert last.wait(PATIENCE)  # item 0 is ready after item 2 only
        return 10 * item

    with side_by_side(work, range(3), workers=2) as results:
        assert list(results) == [0, 10, 20]


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_items_are_in_work_than_there_are_workers(workers):
    lock, now, most = threading.Lock(), 0, 0

    def work(item: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    with side_by_side(work, range(12), workers=workers) as results:
        assert len(list(results)) == 12
    assert 1 <= most <= workers


def test_items_are_taken_only_a_little_ahead_and_by_the_thread_that_asks():
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            assert threading.current_thread() is threading.main_thread()
            taken.append(item)
            yield item

    with side_by_side(lambda item: item, items(), workers=2) as results:
        assert taken == []
        assert next(results) == 0
        assert len(taken) == 2 * AHEAD
        assert next(results) == 1
        assert len(taken) == 2 * AHEAD + 1


def test_an_error_is_raised_in_its_turn_and_ends_the_work():
    worked: list[int] = []

    def work(item: int) -> int:
        worked.append(item)
        if item == 1:
            raise ValueError("item 1 is broken")
        return item

    with (
        pytest.raises(ValueError, match="item 1 is broken"),
        side_by_side(work, range(1000), workers=2) as results,
    ):
        list(results)
    assert len(worked) <= 2 + 2 * AHEAD


def test_an_error_of_the_items_reaches_the_caller():
    def items() -> Iterator[int]:
        yield 0
        raise OSError("the disk fails")

    with pytest.raises(OSError, match="the disk fails"), side_by_side(lambda item: item, items(), workers=2) as results:
        list(results)


def test_an_interrupt_waits_for_what_is_in_work_alone():
    started: list[int] = []
    both, go = threading.Event(), threading.Event()

    def work(item: int) -> None:
        started.append(item)
        if item == 1:
            both.set()
        assert go.wait(PATIENCE)

    def items() -> Iterator[int]:
        yield from range(3)
        assert both.wait(PATIENCE)
        threading.Timer(0.3, go.set).start()
        raise KeyboardInterrupt  # here 0 and 1 are in work and 2 waits

    with pytest.raises(KeyboardInterrupt), side_by_side(work, items(), workers=2) as results:
        list(results)
    assert sorted(started)[:2] == [0, 1]
    assert len(started) <= 2


def test_each_worker_computes_with_one_thread_and_the_caller_gets_its_own_back():
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(2)
    cv2.setNumThreads(2)
    try:
        with side_by_side(lambda _: torch.get_num_threads(), range(4), workers=2) as results:
            assert cv2.getNumThreads() == 1
            assert list(results) == [1] * 4
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (2, 2)
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def test_at_least_one_must_work():
    with pytest.raises(ValueError, match="max_workers"), side_by_side(abs, [1], workers=0):
        pass
