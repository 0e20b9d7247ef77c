"""What an address takes (RFC 9110, 9.3 and 10.2.1): HEAD where GET is, OPTIONS that tells, TRACE nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import MethodNotAllowedError, NotFoundError
from server.http.problems import problem

_ROUTED = ("GET", "POST", "PUT", "PATCH", "DELETE")
_API = "/api/"
_SITE_TAKES = ("GET", "HEAD")


class Methods:
    """Pure ASGI middleware. Addresses of the API are answered by its routes; elsewhere only TRACE is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(_API):
            await self._answer(scope, receive, send)
        elif scope["method"] == "TRACE":
            await _refusal(scope, _SITE_TAKES)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "HEAD":
            as_get = {**scope, "method": "GET", "gsi.head": True}
            await self._app(as_get, receive, _telling_what_is_allowed(as_get, _without_body(send)))
        elif scope["method"] in _ROUTED:
            await self._app(scope, receive, _telling_what_is_allowed(scope, send))
        else:
            await _told(scope)(scope, receive, send)


def allowed(scope: Scope) -> tuple[str, ...]:
    """The methods that the address of ``scope`` takes; none for an address that is not there."""
    routes = [route for route in scope["app"].router.routes if not _takes_everything(route)]
    found = [method for method in _ROUTED if _matches(routes, {**scope, "method": method})]
    if "GET" in found:
        found.insert(1, "HEAD")
    return (*found, "OPTIONS") if found else ()


def _matches(routes: Iterable[BaseRoute], scope: dict[str, Any]) -> bool:
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def _takes_everything(route: BaseRoute) -> bool:
    """A mounted site, and the route that answers for addresses which are not there."""
    return isinstance(route, Mount) or (isinstance(route, Route) and route.path.startswith("/api/{"))


def _told(scope: Scope) -> Response:
    takes = allowed(scope)
    if not takes:
        return problem(Request(scope), NotFoundError())
    if scope["method"] == "OPTIONS":
        return Response(status_code=204, headers={"allow": ", ".join(takes)})
    return _refusal(scope, takes)


def _refusal(scope: Scope, takes: Iterable[str]) -> Response:
    answer = problem(Request(scope), MethodNotAllowedError())
    answer.headers["allow"] = ", ".join(takes)
    return answer


def _telling_what_is_allowed(scope: Scope, send: Send) -> Send:
    """An answer 405 names all methods of its address; the router knows only those of the first route that fits."""

    async def send_telling(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == HTTPStatus.METHOD_NOT_ALLOWED:
            MutableHeaders(scope=message)["allow"] = ", ".join(allowed(scope))
        await send(message)

    return send_telling


def _without_body(send: Send) -> Send:
    """The head of an answer as it is, with the length that its body would have; no body."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {"type": message["type"], "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return send_head
