"""The frame around Gradio's pages, as ASGI middleware.

Gradio alone paints nothing until its scripts have run and gives every page one title. The shell puts a head, the page
as the server rendered it and a foot into the same HTML: readable at once and with scripts off. When Gradio's
component is ready it takes the painted nodes over (assets/site.js).
"""

import logging
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.frame import STAND_IN, broken, decorate, refuse, refuse_method, respond, wants_json
from frontend.plain import PATH as PLAIN
from frontend.tokens import is_token
from frontend.views.page import Visit
from frontend.views.pages import PAGES, Show, View

_LOG = logging.getLogger("gsi.site")
_SESSIONS = ("__Host-gsi_session", "gsi_session")  # on https, elsewhere
_RENDERS_AT_ONCE = 8


class Shell:
    """Middleware for the whole process; only the site's own paths are touched, the API passes as it is."""

    def __init__(self, app: ASGIApp, *, show: Show, views: Mapping[str, View] = PAGES, uploads_to: str = "") -> None:
        self._app = app
        self._uploads_to = uploads_to
        self._show = show
        self._views = views
        self._limiter = anyio.CapacityLimiter(_RENDERS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the site; pass what is the API's. HEAD is GET without the body, everywhere on the site."""
        if scope["type"] != "http" or scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        outgoing = _Outgoing(send, bodiless=scope["method"] == "HEAD")
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        try:
            await self._site(scope, receive, outgoing.send)
        except Exception:
            if outgoing.started:
                raise
            _LOG.exception("%s %s failed", scope["method"], scope["path"])
            await refuse(broken(), scope)(scope, receive, outgoing.send)

    async def _site(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        place = path.rstrip("/") or "/"
        if place not in self._views and place != PLAIN:
            await self._app(scope, receive, _caching(send) if path.startswith(("/assets/", "/static/")) else send)
        elif scope["method"] != "GET":
            await refuse_method(scope, allowed="GET")(scope, receive, send)
        elif path != place:
            query = scope.get("query_string", b"").decode("latin-1")
            await RedirectResponse(f"{place}?{query}" if query else place, 308)(scope, receive, send)
        elif place == PLAIN:
            await self._app(scope, receive, send)
        else:
            await self._page(self._views[place], scope, receive, send)

    async def _page(self, view: View, scope: Scope, receive: Receive, send: Send) -> None:
        # A limiter of its own: a render waits for the API, whose handlers need the common thread pool.
        page = await anyio.to_thread.run_sync(self._show, view, visit_of(scope), limiter=self._limiter)
        if page.error and wants_json(scope):
            answer = refuse(page.error, scope)
        else:
            html = await self._painted_by_gradio(scope, receive)
            painted = decorate(html, page=page, path=scope["path"])
            answer = respond(painted, status=page.status, uploads_to=self._uploads_to)
        for name in _SESSIONS if page.forget else ():
            answer.delete_cookie(name, secure=name.startswith("__Host-"), httponly=True, samesite="lax")
        await answer(scope, receive, send)

    async def _painted_by_gradio(self, scope: Scope, receive: Receive) -> str:
        """Gradio's page, which depends on nothing but its path."""
        inner = _Captured()
        await self._app({**scope, "query_string": b"", "headers": [(b"host", STAND_IN.encode())]}, receive, inner.take)
        return inner.text()


class _Outgoing:
    """An answer on its way: whether it has begun, and without its body where none is wanted."""

    def __init__(self, send: Send, *, bodiless: bool) -> None:
        self._send = send
        self._bodiless = bodiless
        self.started = False

    async def send(self, message: Message) -> None:
        self.started = True
        if self._bodiless and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


class _Captured:
    """The inner application's answer, kept instead of sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))

    def text(self) -> str:
        return b"".join(self._parts).decode()


def visit_of(scope: Scope) -> Visit:
    """The query and the session of a request."""
    return visit(
        query=scope.get("query_string", b"").decode(errors="replace"), cookies=Headers(scope=scope).get("cookie", "")
    )


def visit(*, query: str, cookies: str) -> Visit:
    """A visit from an address's query and a Cookie header; a broken header or session counts as signed out."""
    try:
        jar = SimpleCookie(cookies)
    except CookieError:
        jar = SimpleCookie()
    session = next((jar[name].value for name in _SESSIONS if name in jar), "")
    return Visit(query=query, token=session if is_token(session) else "")


def _caching(send: Send) -> Send:
    async def cached(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message)["cache-control"] = "public, max-age=31536000, immutable"
        await send(message)

    return cached
