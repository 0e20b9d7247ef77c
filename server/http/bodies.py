"""Requests have small bodies; only an archive is large, and that one is streamed."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 1024 * 1024
_STREAMED = "PUT"  # an archive; its route counts for itself


class SmallBodies:
    """Pure ASGI middleware: a body of more than ``MOST_BYTES`` is answered 413 before it fills the memory."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http" or scope["method"] == _STREAMED:
            await self._app(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BYTES:
                raise HTTPException(413)  # FastAPI lets only this kind pass while it reads a body
            return message

        await self._app(scope, counted, send)
