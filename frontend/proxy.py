"""Passes /api/v1 on to the real service when the site runs alone, so that the browser stays on one origin.

Bodies are streamed both ways; nothing is kept in memory or on disk.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

_PASSED_ON = (
    "accept",
    "authorization",
    "content-length",
    "content-type",
    "cookie",
    "idempotency-key",
    "if-none-match",
    "origin",  # with sec-fetch-site it tells the service that one of our pages sent this, and no other site's
    "range",
    "sec-fetch-site",
)
_PASSED_BACK = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "etag",
    "idempotent-replayed",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def create_proxy(*, api_url: str) -> FastAPI:
    """An application whose /api/v1 is the service at `api_url`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        timeout = httpx.Timeout(300.0, connect=5.0)
        async with httpx.AsyncClient(base_url=api_url.rstrip("/"), timeout=timeout) as app.state.service:
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.api_route("/api/v1/{path:path}", methods=_METHODS)
    async def pass_on(path: str, request: Request) -> Response:
        if ".." in path.split("/"):
            return Response(status_code=404)
        service: httpx.AsyncClient = request.app.state.service
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        if request.client:
            headers["x-forwarded-for"] = request.client.host  # the service counts visitors, not the site
        body = request.stream() if request.method in ("POST", "PUT", "PATCH") else None
        wish = service.build_request(
            request.method, f"/api/v1/{quote(path)}", params=str(request.url.query), headers=headers, content=body
        )
        try:
            answer = await service.send(wish, stream=True)
        except httpx.HTTPError as error:
            return _unreachable(error)
        back = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
        passed = StreamingResponse(
            answer.aiter_raw(), status_code=answer.status_code, headers=back, background=BackgroundTask(answer.aclose)
        )
        for cookie in answer.headers.get_list("set-cookie"):
            passed.headers.append("set-cookie", cookie)
        return passed

    return app


def _unreachable(error: httpx.HTTPError) -> JSONResponse:
    problem = {
        "title": "The service cannot be reached",
        "status": 502,
        "code": "service_unreachable",
        "detail": type(error).__name__,
        "remedy": "Try again in a minute.",
    }
    return JSONResponse(problem, status_code=502, media_type="application/problem+json")
