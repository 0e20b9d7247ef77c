"""Turns: who may begin now, and who waits without holding a thread or a connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio

from server.errors import BusyError, GsiError

_LONGEST_WAIT_SECONDS = 10.0


class Turns:
    """At most ``at_once`` hold a turn; the others wait in line.

    A request needs a connection first and threads later. Without turns, as many requests as there are threads wait for
    connections that are held by requests waiting for threads: nobody moves.
    """

    def __init__(self, at_once: int, *, longest_wait: float = _LONGEST_WAIT_SECONDS) -> None:
        self._free = anyio.Semaphore(at_once)
        self._longest_wait = longest_wait

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold one turn. Raises BusyError when none comes free within ``longest_wait`` seconds."""
        try:
            with anyio.fail_after(self._longest_wait):
                await self._free.acquire()
        except TimeoutError as error:
            raise BusyError("Too many requests at once.", retry_after=5) from error
        try:
            yield
        finally:
            self._free.release()


class Shares:
    """At most ``each`` turns at once for one key (a submission, a team); one more is refused, not queued.

    Use from the event loop's thread.
    """

    def __init__(self, each: int) -> None:
        self._each = each
        self._held: Counter[Hashable] = Counter()

    @contextmanager
    def one(self, key: Hashable, *, otherwise: Callable[[], GsiError]) -> Iterator[None]:
        """Hold one of the turns of ``key``. Raises what ``otherwise`` gives when all of them are held."""
        if self._held[key] >= self._each:
            raise otherwise()
        self._held[key] += 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
