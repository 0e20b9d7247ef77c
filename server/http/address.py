"""The one public address: what a request says of hosts that it passed is repeated in no link."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

_PASSED = {b"forwarded", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-prefix", b"x-original-host"}
_NEVER = {b"x-gradio-server"}  # the site's framework would take its own address from it


class PublicAddress:
    """Pure ASGI middleware. A request that tells of a proxy's host is taken for one to ``public_url``.

    One that tells of none keeps the host that it was sent to, so a service answers under each of its own names.
    """

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        parts = urlsplit(public_url)
        self._scheme, self._host = parts.scheme, parts.netloc.rpartition("@")[2].encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "http":
            sent = {name for name, _ in scope["headers"]}
            if sent & (_PASSED | _NEVER):
                scope = self._at_home(scope, passed=bool(sent & _PASSED))
        await self._app(scope, receive, send)

    def _at_home(self, scope: Scope, *, passed: bool) -> Scope:
        headers = [(name, value) for name, value in scope["headers"] if name not in _PASSED | _NEVER]
        if not passed:
            return {**scope, "headers": headers}
        headers = [(name, value) for name, value in headers if name not in {b"host", b"x-forwarded-proto"}]
        headers += [(b"host", self._host), (b"x-forwarded-proto", self._scheme.encode("latin-1"))]
        return {**scope, "scheme": self._scheme, "headers": headers}
