"""A part on its way into storage, where signed URLs lead to this service."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import anyio.to_thread
from fastapi import Request

from server.db.pool import transaction
from server.errors import LengthMismatchError, MissingUploadError, NotFoundError
from server.http.dependencies import Services
from server.storage.port import SignedClaim, TakesParts
from server.submissions.multipart import store
from server.submissions.streaming import stream
from server.submissions.uploads import share_of_team


async def take(storage_id: str, claim: SignedClaim, request: Request, services: Services) -> None:
    """Take the request's body as one part, if it is the one that was signed.

    Raises NotFoundError where the storage takes parts itself, what `TakesParts.take` raises, TooManyError when the team
    sends as many as it may, UnavailableError when the service takes no more.
    """
    parts = services.storage.parts
    if not isinstance(parts, TakesParts):
        raise NotFoundError
    parts.check(storage_id, claim)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) != claim.part.size:
        raise LengthMismatchError(f"{int(announced):,} bytes are announced, {claim.part.size:,} were signed.")
    async with services.turns.one():
        team = await anyio.to_thread.run_sync(_team_of, services, storage_id)

    def store_part(chunks: Iterator[bytes]) -> None:
        parts.take(storage_id, claim, chunks)

    with share_of_team(services, team):
        await stream(request, services, store_part)


def _team_of(services: Services, storage_id: str) -> UUID:
    with transaction(services.pool) as conn:
        found = store.team_of_storage_id(conn, storage_id)
    if found is None:
        raise MissingUploadError
    return found
