"""Silences Python's warnings while several threads work, which ``warnings.catch_warnings`` alone cannot."""

from __future__ import annotations

import threading
import warnings


class NoWarnings:
    """No warning is shown or raised inside: the first thread to enter sees to it, the last one to leave ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._caught = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._caught.__exit__(None, None, None)
