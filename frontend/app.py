"""The Gradio site: one gr.HTML for each page, mounted beside the routes of the API."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

import anyio
import gradio as gr
import httpx
from fastapi import FastAPI, HTTPException, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount

from frontend import plain
from frontend.client import Client
from frontend.frame import content
from frontend.gate import Gate
from frontend.shell import Shell, visit
from frontend.theme import gradio_theme
from frontend.views.page import Connect
from frontend.views.pages import PAGES, Show, View, shower

_UPDATES_AT_ONCE = 16
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


def mount(app: FastAPI, *, api_url: str, uploads_to: str = "") -> FastAPI:
    """Add the site at "/" and the plain tables at "/plain" to an application that serves the API (or proxies it).

    `api_url` is where this process reaches the REST API, without /api/v1; in one process that is its own loopback
    address. `uploads_to` is the origin (scheme, host, port) of the storage, if browsers send archives there. Call it
    last: Gradio answers every path that no earlier route took.
    """
    pool = httpx.HTTPTransport(limits=httpx.Limits(max_connections=32, max_keepalive_connections=8), trust_env=False)
    connect = _connector(api_url, pool=pool)
    show = shower(connect)
    app.include_router(plain.router(connect))
    app.add_api_route("/api/{path:path}", _no_such_route, methods=_METHODS, include_in_schema=False)
    _within_a_loop(lambda: _mount_gradio(app, show=show))
    app.add_middleware(Shell, show=show, uploads_to=uploads_to)
    _close_with(app, pool)
    return app


def _no_such_route(request: Request) -> Response:
    """An unknown address or method below /api is answered by the API's own error handler and not by Gradio.

    The 405 and the answer to OPTIONS name what the address takes in all of its routes (RFC 9110, 10.2.1).
    """
    others = [route for route in request.app.router.routes if not _takes_everything(route)]
    taken = {
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in others)
    }
    if not taken:
        raise HTTPException(404)
    taken |= {"OPTIONS"} | ({"HEAD"} if "GET" in taken else set())
    headers = {"Allow": ", ".join(sorted(taken))}
    if request.method != "OPTIONS":
        raise HTTPException(405, headers=headers)
    return Response(status_code=204, headers=headers)


def _takes_everything(route: BaseRoute) -> bool:
    return isinstance(route, Mount) or getattr(route, "endpoint", None) is _no_such_route


def _mount_gradio(app: FastAPI, *, show: Show) -> None:
    site = build(show)
    with warnings.catch_warnings():
        # Gradio says so of every mounted site with several pages, even when SSR was not asked for.
        warnings.filterwarnings("ignore", message="SSR mode is not supported with multi-page apps")
        gr.mount_gradio_app(
            app,
            site,
            path="/",
            theme=gradio_theme(),
            footer_links=[],
            run_history=False,
            max_file_size=1,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            show_error=False,
        )
    mounted = app.router.routes[-1]
    if not isinstance(mounted, Mount):
        raise TypeError("Gradio has not mounted itself last")
    mounted.app = Gate(mounted.app, pages=PAGES, components=frozenset(site.blocks))


def _within_a_loop(work: Callable[[], object]) -> None:
    """Do `work` with an event loop running: without one Gradio makes a dozen while it is built and leaves them open."""

    async def inside() -> None:
        work()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(inside())
    else:
        work()


def _close_with(app: FastAPI, pool: httpx.BaseTransport) -> None:
    """Close the connections when the application shuts down."""
    before = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[Any]:
        async with before(running) as state:
            yield state
        pool.close()

    app.router.lifespan_context = lifespan


def build(show: Show) -> gr.Blocks:
    """The site's pages as Gradio blocks."""
    site = gr.Blocks(title="GSI-Bench", analytics_enabled=False)
    # Its own limiter: an update waits for the API, whose handlers need the common thread pool.
    site.limiter = anyio.CapacityLimiter(_UPDATES_AT_ONCE)  # type: ignore[assignment]  # Gradio declares only None
    for path, view in PAGES.items():
        with site if path == "/" else site.route(view.name, path):
            _component(view, show=show)
    return site


def _component(view: View, *, show: Show) -> gr.HTML:
    """The page's live part. Its only template is the value itself: what teams write is never run as a template."""

    def live_page(query: str, request: gr.Request) -> dict[str, Any]:
        found = show(view, visit(query=str(query).lstrip("?"), cookies=request.headers.get("cookie", "")))
        return {
            "title": f"{found.title} · GSI-Bench",
            "html": content(found),
            "status": found.status,
            "forget": found.forget,
        }

    assets = files("frontend").joinpath("assets")
    return gr.HTML(
        value="",
        html_template="${value}",
        js_on_load="\n".join(assets.joinpath(script).read_text(encoding="utf-8") for script in view.scripts),
        apply_default_css=False,
        server_functions=[live_page],
    )


def _connector(api_url: str, *, pool: httpx.BaseTransport) -> Connect:
    """Clients that share one pool of connections."""

    def connect(token: str) -> Client:
        return Client(url=api_url, token=token, timeout=15.0, transport=_Shared(pool))

    return connect


class _Shared(httpx.BaseTransport):
    """A transport whose connections outlive the client that borrowed them."""

    def __init__(self, pool: httpx.BaseTransport) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._pool.handle_request(request)
