"""The frame around Gradio's pages, as ASGI middleware.

Gradio alone paints nothing until its scripts have run and gives every page one title. The shell puts a head, the page
as the server rendered it and a foot into the same HTML: readable at once and with scripts off. When Gradio's
component is ready it takes the painted nodes over (assets/site.js).
"""

import re
from collections.abc import Mapping
from functools import cache
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from urllib.parse import unquote

import anyio
from markupsafe import escape
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from frontend.errors import ClientError
from frontend.render import render
from frontend.theme import style_sheet
from frontend.tokens import is_token
from frontend.views.page import Page, Visit, problem_page
from frontend.views.pages import PAGES, Show, View

_LINKS = (("/", "Leaderboard"), ("/submit", "Submit"), ("/submissions", "My submissions"), ("/about", "About"))
_COOKIES = ("gsi_token", "gsi_team")
_RENDERS_AT_ONCE = 8
# Gradio's own upload and fetch routes are open to everybody and nothing here uses them.
_CLOSED = re.compile(r"^/gradio_api/(upload|proxy=|deep_link)")
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
)
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%2317566b' "
    "stroke-width='2' stroke-linejoin='round'%3E%3Cpath d='M12 2.5 20.5 7v10L12 21.5 3.5 17V7Z'/%3E"
    "%3Cpath d='M3.5 7 12 11.6 20.5 7M12 11.6v9.9'/%3E%3C/svg%3E"
)


class Shell:
    """Middleware for the whole process; only the site's own paths are touched, the API passes as it is."""

    def __init__(self, app: ASGIApp, *, show: Show, views: Mapping[str, View] = PAGES) -> None:
        self._app = app
        self._show = show
        self._views = views
        self._limiter = anyio.CapacityLimiter(_RENDERS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Decorate a page, cache an asset, refuse a closed route, or pass."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith("/api/"):
            await self._app(scope, receive, send)
        elif _CLOSED.match(path):
            await Response(status_code=404)(scope, receive, send)
        elif path.startswith(("/assets/", "/static/")):
            await self._app(scope, receive, _caching(send))
        elif path in self._views and scope["method"] == "GET":
            await self._page(self._views[path], scope, receive, send)
        else:
            await self._other(scope, receive, send)

    async def _page(self, view: View, scope: Scope, receive: Receive, send: Send) -> None:
        inner = _Captured()
        await self._app(scope, receive, inner.take)
        # A limiter of its own: a render waits for the API, whose handlers need the common thread pool.
        page = await anyio.to_thread.run_sync(self._show, view, visit_of(scope), limiter=self._limiter)
        html = decorate(inner.text(), page=page, path=scope["path"])
        answer = _respond(html, status=page.status)
        for name in _COOKIES if page.forget else ():
            answer.delete_cookie(name, samesite="strict")
        await answer(scope, receive, send)

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A person who mistyped an address gets a page instead of a line of JSON."""
        if "text/html" not in Headers(scope=scope).get("accept", ""):
            await self._app(scope, receive, send)
            return
        missing = False

        async def watch(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start" and message["status"] == 404:
                missing = True
            if not missing:
                await send(message)

        await self._app(scope, receive, watch)
        if missing:
            error = ClientError(code="no_such_page", title="There is no such page", status=404)
            html = alone(problem_page(error), path=scope["path"])
            await _respond(html, status=404)(scope, receive, send)


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
    """The query and the identity (from the site's two cookies) of a request."""
    return visit(
        query=scope.get("query_string", b"").decode(errors="replace"), cookies=Headers(scope=scope).get("cookie", "")
    )


def visit(*, query: str, cookies: str) -> Visit:
    """A visit from an address's query and a Cookie header; a broken header or token counts as logged out."""
    try:
        jar = SimpleCookie(cookies)
    except CookieError:
        jar = SimpleCookie()
    found = {name: unquote(morsel.value) for name, morsel in jar.items()}
    if not is_token(found.get("gsi_token", "")):
        return Visit(query=query)
    return Visit(query=query, token=found["gsi_token"], team=found.get("gsi_team", ""))


def _caching(send: Send) -> Send:
    async def cached(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message)["cache-control"] = "public, max-age=31536000, immutable"
        await send(message)

    return cached


def _respond(html: str, *, status: int) -> HTMLResponse:
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status_code=status, headers=headers)


def content(page: Page) -> str:
    """A page's body as it stands in the document and as the live updates deliver it."""
    return f'<div id="content" tabindex="-1">{page.body}</div>'


@cache
def _script() -> str:
    return files("frontend").joinpath("assets/site.js").read_text(encoding="utf-8")


def _head(page: Page) -> str:
    return (
        f"<title>{escape(page.title)} · GSI-Bench</title>"
        f'<meta name="description" content="{escape(page.description)}">'
        f'<link rel="icon" href="{_ICON}">'
        f"<script>{_script()}</script>"
    )


def decorate(html: str, *, page: Page, path: str) -> str:
    """Gradio's page with our head, first paint and foot. Our style sheet goes last so that it decides."""
    html = re.sub(r'<meta\s+(?:property="og:|name="twitter:)[^>]*?/>\s*', "", html)
    html = html.replace('<link rel="manifest" href="/manifest.json" />', "")
    html = html.replace('control_page_title="true"', 'control_page_title="false"')
    html = html.replace("<head>", "<head>" + _head(page), 1)
    html = html.replace("</head>", f"<style>{style_sheet()}</style></head>", 1)
    before = f'{render("header.html", links=_LINKS, path=path)}<main id="first-paint">{content(page)}</main>'
    html = html.replace("<gradio-app", before + "<gradio-app", 1)
    return html.replace("</body>", render("footer.html") + "</body>", 1)


def alone(page: Page, *, path: str) -> str:
    """A page without Gradio, for errors."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{_head(page)}<style>{style_sheet()}</style></head>"
        f"<body>{render('header.html', links=_LINKS, path=path)}<main>{content(page)}</main>"
        f"{render('footer.html')}</body></html>"
    )
