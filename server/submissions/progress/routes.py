"""Progress over HTTP: to be asked for again and again at little cost, or as a stream of server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import anyio.to_thread
from fastapi import Header, Request, Response
from fastapi.responses import StreamingResponse

from server.db.pool import transaction
from server.errors import NotFoundError
from server.http.conditional import conditional, content_etag
from server.http.dependencies import Services, ServicesOf, TokenOf, UnitOf
from server.http.routing import ApiRouter
from server.submissions import service
from server.submissions.progress import store
from server.submissions.progress.schemas import ProgressOut
from server.submissions.progress.watching import Watching
from server.teams import service as teams
from server.teams.callers import READ, SomeoneOf

router = ApiRouter(prefix="/submissions", tags=["submissions"])

_HEARTBEAT_SECONDS = 15.0
_PRIVATE = {"cache-control": "private, no-cache"}


@router.get("/{submission_id}/progress", response_model=ProgressOut, dependencies=[READ])
def get_progress(submission_id: UUID, caller: SomeoneOf, unit: UnitOf, request: Request) -> Response:
    """How far your submission is: small, with an ETag; 304 while nothing has changed."""
    service.visible(unit.conn, caller, submission_id)
    found = ProgressOut.of(store.of(unit.conn, [submission_id])[submission_id])
    return conditional(request, found.model_dump_json(), media_type="application/json", headers=_PRIVATE)


@router.get(
    "/{submission_id}/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The stream."}},
)
async def stream(
    submission_id: UUID,
    request: Request,
    services: ServicesOf,
    token: TokenOf,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> StreamingResponse:
    """Server-sent events `progress` (the same JSON as `progress`), until your submission is at rest.

    A comment every 15 seconds keeps the connection open. With `Last-Event-ID` what you have seen is not sent again.
    """
    async with services.turns.one():
        await anyio.to_thread.run_sync(_may_follow, services, token, submission_id)
    watching: Watching = request.app.state.watching
    events = _nothing() if request.scope.get("gsi.head") else _events(watching, submission_id, last_event_id)
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )


def _may_follow(services: Services, token: str | None, submission_id: UUID) -> None:
    with transaction(services.pool) as conn:
        caller = teams.caller_of(conn, services.settings, token)
        if caller is None:
            raise NotFoundError("There is no such submission.")
        caller.must("read")
        service.visible(conn, caller, submission_id)


async def _nothing() -> AsyncIterator[str]:
    for line in list[str]():
        yield line


async def _events(watching: Watching, submission_id: UUID, seen: str | None) -> AsyncIterator[str]:
    async with watching.listen(submission_id) as box:
        while True:
            try:
                found = await asyncio.wait_for(box.get(), timeout=_HEARTBEAT_SECONDS)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            text = ProgressOut.of(found).model_dump_json()
            tag = content_etag(text.encode()).strip('"')
            if tag != seen:
                seen = tag
                yield f"id: {tag}\nevent: progress\ndata: {text}\n\n"
            if found.at_rest:
                return
