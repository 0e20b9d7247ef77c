"""Turns: who may begin now, and who waits without holding a thread or a connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from server.errors import UnavailableError

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
        """Hold one turn. Raises UnavailableError when none comes free within ``longest_wait`` seconds."""
        try:
            with anyio.fail_after(self._longest_wait):
                await self._free.acquire()
        except TimeoutError as error:
            raise UnavailableError("Too many requests at once.", retry_after=5) from error
        try:
            yield
        finally:
            self._free.release()
