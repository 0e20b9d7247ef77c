"""The router of the API: a POST may be repeated under an Idempotency-Key, whatever it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi import params as declared
from fastapi.routing import APIRoute

from server.http import repeating

_CLAIM = Depends(repeating.claim)


class ApiRoute(APIRoute):
    """A route whose POST gives a repeated request the first one's answer (`server.http.repeating`)."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        dependencies: Sequence[declared.Depends] | None = None,
        **options: Any,
    ) -> None:
        found = list(dependencies or ())
        if "POST" in (methods or ()) and _CLAIM not in found:
            found.append(_CLAIM)  # behind those that refuse: an answer is repeated to none who may not ask for it
        super().__init__(path, endpoint, methods=set(methods or ("GET",)), dependencies=found, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler; around it the answer is kept before the transaction is committed."""
        handle = super().get_route_handler()
        return repeating.repeatable(handle) if "POST" in (self.methods or ()) else handle


class ApiRouter(APIRouter):
    """An APIRouter of such routes. Every feature uses it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=ApiRoute, **options)
