"""Listeners of progress: one look at the database a second for all of them, none of the pool's connections held.

Use from the event loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

import anyio
import anyio.to_thread

from server.errors import BusyError
from server.submissions.progress.model import Progress

_LOG = logging.getLogger("gsi.http")
_COME_AGAIN_SECONDS = 10

Look = Callable[[Collection[UUID]], Mapping[UUID, Progress]]


class Watching:
    """Tells each listener of its submission's progress when it changes. ``look`` asks the database, in a thread."""

    def __init__(self, look: Look, *, every: float = 1.0, most: int = 500) -> None:
        self._look = look
        self._every = every
        self._most = most
        self._boxes: dict[UUID, set[asyncio.Queue[Progress]]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return sum(map(len, self._boxes.values()))

    @asynccontextmanager
    async def listen(self, submission_id: UUID) -> AsyncIterator[asyncio.Queue[Progress]]:
        """A box with what is new of a submission, the present state first. Raises BusyError beyond ``most``."""
        if self.listeners >= self._most:
            raise BusyError("Too many follow their submissions at once.", retry_after=_COME_AGAIN_SECONDS)
        box: asyncio.Queue[Progress] = asyncio.Queue(maxsize=1)
        self._boxes.setdefault(submission_id, set()).add(box)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._keep_looking())
        try:
            yield box
        finally:
            self._boxes[submission_id].discard(box)
            if not self._boxes[submission_id]:
                del self._boxes[submission_id]

    async def _keep_looking(self) -> None:
        """Until nobody listens. A database that does not answer is asked again; listeners wait meanwhile."""
        of_its_own = anyio.CapacityLimiter(1)  # it must not wait behind requests, nor they behind it
        while self._boxes:
            try:
                found = await anyio.to_thread.run_sync(self._look, list(self._boxes), limiter=of_its_own)
            except Exception:  # noqa: BLE001 - whatever it is, the next look may succeed
                _LOG.warning("the progress of submissions cannot be had now", exc_info=True)
            else:
                self._hand_out(found)
            await asyncio.sleep(self._every)

    def _hand_out(self, found: Mapping[UUID, Progress]) -> None:
        for submission_id, boxes in self._boxes.items():
            if submission_id in found:
                for box in boxes:
                    if box.full():
                        box.get_nowait()  # a slow listener gets the newest alone
                    box.put_nowait(found[submission_id])
