"""An ETag on every JSON answer to a read: who has the same content already gets 304 and no body."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.conditional import content_etag, has_already

_PARTS_OF_A_304 = ("etag", "cache-control", "vary", "content-location", "date", "expires")
"""What RFC 9110, 15.4.5 has a 304 carry; other headers of a middleware stay as they are."""


class ETags:
    """Pure ASGI middleware. Answers that come in pieces, carry an ETag, or may not be kept pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        started: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start" and _may_be_tagged(message):
                started = message
                return
            if started is not None and message["type"] == "http.response.body":
                begun, started = started, None
                if not message.get("more_body"):
                    begun, message = _tagged(scope, begun, message)
                await send(begun)
            await send(message)

        await self._app(scope, receive, send_tagged)


def _may_be_tagged(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return (
        start["status"] == 200
        and headers.get("content-type", "").startswith("application/json")
        and "etag" not in headers
        and "no-store" not in headers.get("cache-control", "")
    )


def _tagged(scope: Scope, start: Message, body: Message) -> tuple[Message, Message]:
    """The answer with its ETag, or the 304 that stands for it."""
    etag = content_etag(body.get("body", b""))
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["etag"] = etag
    headers.setdefault("cache-control", "private, no-cache")
    if not has_already(Request(scope), etag):
        return {**start, "headers": headers.raw}, body
    kept = MutableHeaders(raw=[pair for pair in headers.raw if pair[0].decode("latin-1") in _PARTS_OF_A_304])
    return {**start, "status": 304, "headers": kept.raw}, {**body, "body": b""}
