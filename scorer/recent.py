"""A bounded memory that several threads may share."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by key, bounded by the sum of their sizes; the one that was used longest ago is forgotten first.

    ``size``: of a value, in the unit of ``most`` (bytes, or 1 each). The newest value is kept even if it alone is
    larger than ``most``. A lock for each key that was ever asked for stays: some hundred bytes.
    """

    def __init__(self, most: int, *, size: Callable[[T], int]) -> None:
        self._most, self._size = most, size
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of that key, made where it is not remembered; threads that ask at a time wait for one making.

        What ``make`` raises reaches the caller, and nothing is remembered. ``make`` must not ask for its own key.
        """
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
            value = make()
            with self._lock:
                self._keep(key, value)
            return value

    def _keep(self, key: Hashable, value: T) -> None:
        self._values[key] = value
        self._total += self._size(value)
        while self._total > self._most and len(self._values) > 1:
            _, old = self._values.popitem(last=False)
            self._total -= self._size(old)
