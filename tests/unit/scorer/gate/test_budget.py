from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from scorer.gate.budget import Budget


def test_those_that_do_not_fit_together_wait_for_each_other():
    budget, lock = Budget(100), threading.Lock()
    held, most = 0, 0

    def work(amount: int) -> None:
        nonlocal held, most
        with budget.hold(amount):
            with lock:
                held += amount
                most = max(most, held)
            with lock:
                held -= amount

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [30, 60, 45, 100, 1, 80] * 50))
    assert (held, most <= 100) == (0, True)


def test_two_that_fit_are_held_at_once():
    budget, both = Budget(100), threading.Barrier(2, timeout=10)

    def meet(amount: int) -> None:
        with budget.hold(amount):
            both.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(meet, [40, 60]))


def test_one_that_asks_for_more_than_all_gets_all_and_gives_it_back_even_when_it_fails():
    budget = Budget(10)
    for _ in range(3):
        try:
            with budget.hold(1000):
                raise ValueError
        except ValueError:
            continue
    with budget.hold(10):
        pass
