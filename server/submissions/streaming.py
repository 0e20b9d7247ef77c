"""A request's body on its way into storage: piece by piece, and not too slowly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import anyio.from_thread
import anyio.to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from server.errors import LengthMismatchError
from server.http.dependencies import Services
from server.settings import Settings
from server.storage.port import CHUNK_BYTES

T = TypeVar("T")


async def stream(request: Request, services: Services, store: Callable[[Iterator[bytes]], T]) -> T:
    """What ``store`` makes of the body, which it is handed in pieces, in a thread of its own.

    Raises UnavailableError when the service takes no more uploads, LengthMismatchError for what breaks off or comes too
    slowly, and what ``store`` raises.
    """
    of_its_own = anyio.CapacityLimiter(1)  # slow uploads must not use up the threads that answer everybody else
    async with services.uploads.one():
        pieces = _pieces(request, services.settings)
        try:
            return await anyio.to_thread.run_sync(store, iter(pieces, None), limiter=of_its_own)
        except ClientDisconnect as gone:
            raise LengthMismatchError("The connection ended before everything had arrived.") from gone
        except TimeoutError as silence:
            least = services.settings.upload_least_bytes_per_second / 1024
            raise LengthMismatchError(
                f"The upload came too slowly: {least:,.0f} KiB a second are needed.",
                remedy="Send it again over a faster connection, or make it smaller: JPEG or WebP instead of PNG.",
            ) from silence


def _pieces(request: Request, settings: Settings) -> Callable[[], bytes | None]:
    """A function for a worker thread that gives the next megabyte of the body, None at the end.

    It raises TimeoutError when a megabyte takes longer than ``upload_piece_seconds``, and when the sender, after that
    time once, has fallen below ``upload_least_bytes_per_second`` on average. The storage's own time does not count.
    """
    stream = request.stream()
    received, waited = 0, 0.0

    async def more() -> bytes | None:
        nonlocal received, waited
        buffer = bytearray()
        start = time.monotonic()
        budget = settings.upload_piece_seconds + received / settings.upload_least_bytes_per_second - waited
        with anyio.fail_after(min(settings.upload_piece_seconds, budget)):
            async for chunk in stream:
                buffer += chunk
                if len(buffer) >= CHUNK_BYTES:
                    break
        received += len(buffer)
        waited += time.monotonic() - start
        return bytes(buffer) or None

    return partial(anyio.from_thread.run, more)
