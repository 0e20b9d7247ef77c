"""An archive on its way into storage: who may send now, how slowly, and what becomes of it when it does not arrive."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import anyio.from_thread
import anyio.to_thread
from fastapi import Request
from psycopg import Connection
from starlette.requests import ClientDisconnect

from server.db.pool import transaction
from server.errors import (
    ConflictError,
    LengthMismatchError,
    TooLargeError,
    TooManyError,
    UnauthorizedError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from server.http.dependencies import Services
from server.settings import Settings
from server.storage.port import CHUNK_BYTES, Stored, new_archive_key
from server.submissions import service
from server.submissions.model import Submission
from server.submissions.presented import whole
from server.submissions.schemas import SubmissionOut
from server.teams import service as teams

_LOG = logging.getLogger("gsi.http")
_ZIP_TYPES = {"application/zip", "application/x-zip-compressed", "application/octet-stream"}
_COME_AGAIN_SECONDS = 30


async def receive(submission_id: UUID, request: Request, services: Services, token: str | None) -> SubmissionOut:
    """Take the request's body as a submission's archive; the check begins when it is whole.

    Raises ConflictError when the submission has an archive or is being sent one, TooManyError when its team sends as
    many as it may, UnavailableError when the service takes no more, LengthMismatchError for what breaks off or comes
    too slowly, and what `server.submissions.service.awaits_archive` raises.
    """
    _check_announced(request, services.settings.max_archive_bytes)
    async with services.turns.one():
        awaiting = await anyio.to_thread.run_sync(_may_upload, services, token, submission_id)
    key = new_archive_key(submission_id)
    with _share(services, awaiting):
        stored = await _receive(request, services, key)
        try:
            async with services.turns.one():
                return await anyio.to_thread.run_sync(_accept, services, token, submission_id, key, stored)
        except UnavailableError:  # no turn: what nobody knows of must not stay in storage
            await anyio.to_thread.run_sync(_delete_unless_accepted, services, submission_id, key)
            raise


@contextmanager
def _share(services: Services, submission: Submission) -> Iterator[None]:
    """One upload at a time for a submission, a few for a team: nobody can take the places of everybody else."""
    most = services.settings.uploads_of_a_team
    with (
        services.uploads_of_submissions.one(
            submission.id,
            otherwise=lambda: ConflictError(
                "An archive of this submission is being uploaded already.",
                remedy="Wait until that upload ends; if it breaks off, send the archive again.",
                retry_after=_COME_AGAIN_SECONDS,
            ),
        ),
        services.uploads_of_teams.one(
            submission.team_id,
            otherwise=lambda: TooManyError(
                f"Your team is uploading {most} archives at once, which is the most allowed.",
                remedy="Send this archive once one of the others has arrived.",
                retry_after=_COME_AGAIN_SECONDS,
            ),
        ),
    ):
        yield


async def _receive(request: Request, services: Services, key: str) -> Stored:
    of_its_own = anyio.CapacityLimiter(1)  # slow uploads must not use up the threads that answer everybody else
    async with services.uploads.one():
        pieces = _pieces(request, services.settings)
        try:
            return await anyio.to_thread.run_sync(_store, services, key, pieces, limiter=of_its_own)
        except ClientDisconnect as gone:
            raise LengthMismatchError("The connection ended before the archive was whole.") from gone
        except TimeoutError as silence:
            least = services.settings.upload_least_bytes_per_second / 1024
            raise LengthMismatchError(
                f"The archive came too slowly: {least:,.0f} KiB a second are needed.",
                remedy="Send it again over a faster connection, or make it smaller: JPEG or WebP instead of PNG.",
            ) from silence


def _check_announced(request: Request, most: int) -> None:
    """Refuse by the headers what would be refused after gigabytes."""
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type not in _ZIP_TYPES:
        raise UnsupportedMediaTypeError(f"The content type is {content_type or 'missing'}; application/zip is needed.")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise TooLargeError(f"The archive has {int(announced):,} bytes; at most {most:,} are allowed.")


def _may_upload(services: Services, token: str | None, submission_id: UUID) -> Submission:
    with transaction(services.pool) as conn:
        return _awaiting(conn, services, token, submission_id)


def _awaiting(conn: Connection, services: Services, token: str | None, submission_id: UUID) -> Submission:
    caller = teams.caller_of(conn, services.settings, token)
    if caller is None:
        raise UnauthorizedError
    caller.must("submit")
    return service.awaits_archive(conn, caller, submission_id)


def _pieces(request: Request, settings: Settings) -> Callable[[], bytes | None]:
    """A function for a worker thread that gives the next megabyte of the body, None at the end.

    It raises TimeoutError when a megabyte takes longer than ``upload_piece_seconds``, and when the sender, after that
    time once, has fallen below ``upload_least_bytes_per_second`` on average. The storage's own time does not count.
    """
    stream = request.stream()
    received, waited = 0, 0.0

    async def more() -> bytes | None:
        nonlocal received, waited
        buffer = bytearray()
        start = time.monotonic()
        budget = settings.upload_piece_seconds + received / settings.upload_least_bytes_per_second - waited
        with anyio.fail_after(min(settings.upload_piece_seconds, budget)):
            async for chunk in stream:
                buffer += chunk
                if len(buffer) >= CHUNK_BYTES:
                    break
        received += len(buffer)
        waited += time.monotonic() - start
        return bytes(buffer) or None

    return partial(anyio.from_thread.run, more)


def _store(services: Services, key: str, pieces: Callable[[], bytes | None]) -> Stored:
    def chunks() -> Iterator[bytes]:
        while (chunk := pieces()) is not None:
            yield chunk

    stored = services.storage.put(key, chunks(), max_bytes=services.settings.max_archive_bytes)
    if stored.size == 0:
        services.storage.delete(key)
        raise LengthMismatchError("The request had no body.", remedy="Send the zip as the request's body.")
    return stored


def _accept(services: Services, token: str | None, submission_id: UUID, key: str, stored: Stored) -> SubmissionOut:
    try:
        with transaction(services.pool) as conn:
            _awaiting(conn, services, token, submission_id)
            answer = whole(conn, service.accept_archive(conn, submission_id, key=key, stored=stored))
    except BaseException:
        _delete_unless_accepted(services, submission_id, key)
        raise
    services.queue.validate(submission_id)
    return answer


def _delete_unless_accepted(services: Services, submission_id: UUID, key: str) -> None:
    """Delete an archive unless it was accepted after all, by a commit whose confirmation was lost."""
    try:
        with transaction(services.pool) as conn:
            accepted = service.holds_archive(conn, submission_id, key)
        if not accepted:
            services.storage.delete(key)
    except Exception:  # noqa: BLE001 - the error that led here is the one to answer with
        _LOG.exception("nobody can say now whether %s is needed: it stays", key)
