"""What of Gradio is open: its scripts and styles, and the one call that keeps our pages live. All else is 404.

Gradio brings uploads, a proxy, its own description and more; nothing here uses them. What it refuses or breaks at is
answered with the site's own problem page.
"""

import json
import re
from collections.abc import Container
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.errors import ClientError
from frontend.frame import broken, no_such_page, refuse, refuse_method

_FILES = re.compile(r"/(assets|static)/.+|/theme\.css|/robots\.txt")
_LIVE = "/gradio_api/component_server/"
_FUNCTION = "live_page"
_LONGEST_CALL = 16 * 1024  # bytes
# Gradio builds addresses from forwarding headers that anybody can send; it needs none of them.
_PASSED_ON = frozenset(
    {b"host", b"cookie", b"content-type", b"content-length", b"if-none-match", b"if-modified-since", b"range"}
)


class Gate:
    """Stands before Gradio's application.

    `pages` are the paths that the shell asks for; `components` are the ids of the live parts.
    """

    def __init__(self, app: ASGIApp, *, pages: Container[str], components: Container[int]) -> None:
        self._app = app
        self._pages = pages
        self._components = components

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path in self._pages or _FILES.fullmatch(path):
            allowed = "GET"
        elif path == _LIVE:
            allowed = "POST"
        else:
            await refuse(no_such_page(), scope)(scope, receive, send)
            return
        if method != allowed:
            await refuse_method(scope, allowed=allowed)(scope, receive, send)
        elif method == "POST":
            await self._live(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None or not self._is_call(body):
            error = ClientError(
                code="malformed_call",
                title="This call is not one that a page of the site makes",
                remedy="Reload the page. Programs use the REST API, see /api/docs.",
                status=422,
            )
            await refuse(error, scope)(scope, receive, send)
            return
        sent = False

        async def again() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._pass(scope, again, send)

    def _is_call(self, body: bytes) -> bool:
        try:
            call: Any = json.loads(body)
        except (ValueError, RecursionError):
            return False
        return (
            isinstance(call, dict)
            and isinstance(call.get("data"), str)
            and isinstance(call.get("session_hash"), str)
            and type(call.get("component_id")) is int
            and call["component_id"] in self._components
            and call.get("fn_name") == _FUNCTION
        )

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask Gradio; its refusals become pages of ours."""
        refused = 0

        async def watch(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused = message["status"]
            if not refused:
                await send(message)

        headers = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON]
        await self._app({**scope, "headers": headers}, receive, watch)
        if refused:
            error = no_such_page() if refused < 500 else broken()
            await refuse(error, scope)(scope, receive, send)


async def _body(receive: Receive) -> bytes | None:
    """A request's body; None when it is longer than any call of ours or broke off."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += bytes(message.get("body", b""))
        if len(body) > _LONGEST_CALL:
            return None
        if not message.get("more_body"):
            return body
