from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from scorer.gate.quiet import NoWarnings


def test_no_thread_hears_a_warning_while_another_one_leaves():
    quiet, both = NoWarnings(), threading.Barrier(2, timeout=10)

    def first() -> None:
        with quiet:
            both.wait()
        both.wait()

    def second() -> None:
        with quiet:
            both.wait()
            both.wait()
            warnings.warn("not heard", stacklevel=1)

    with ThreadPoolExecutor(2) as pool:
        for work in [pool.submit(first), pool.submit(second)]:
            work.result()


def test_warnings_are_heard_again_when_all_have_left():
    with NoWarnings():
        warnings.warn("not heard", stacklevel=1)
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)
