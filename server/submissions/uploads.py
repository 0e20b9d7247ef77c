"""An archive on its way into storage: who may send now, how slowly, and what becomes of it when it does not arrive."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import anyio.to_thread
from fastapi import Request
from psycopg import Connection

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
from server.storage.port import Stored, new_archive_key
from server.submissions import service
from server.submissions.model import Submission
from server.submissions.presented import whole
from server.submissions.schemas import SubmissionOut
from server.submissions.streaming import stream
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
        stored = await stream(request, services, partial(_store, services, key))
        try:
            async with services.turns.one():
                return await anyio.to_thread.run_sync(_accept, services, token, submission_id, key, stored)
        except UnavailableError:  # no turn: what nobody knows of must not stay in storage
            await anyio.to_thread.run_sync(_delete_unless_accepted, services, submission_id, key)
            raise


@contextmanager
def share_of_team(services: Services, team: UUID) -> Iterator[None]:
    """A few archives or parts at a time for a team: nobody can take the places of everybody else."""
    most = services.settings.uploads_of_a_team
    too_many = TooManyError(
        f"Your team is sending {most} archives or parts at once, which is the most allowed.",
        remedy="Send this one once one of the others has arrived.",
        retry_after=_COME_AGAIN_SECONDS,
    )
    with services.uploads_of_teams.one(team, otherwise=lambda: too_many):
        yield


@contextmanager
def _share(services: Services, submission: Submission) -> Iterator[None]:
    """One upload at a time for a submission, and its team's share."""
    with (
        services.uploads_of_submissions.one(
            submission.id,
            otherwise=lambda: ConflictError(
                "An archive of this submission is being uploaded already.",
                remedy="Wait until that upload ends; if it breaks off, send the archive again.",
                retry_after=_COME_AGAIN_SECONDS,
            ),
        ),
        share_of_team(services, submission.team_id),
    ):
        yield


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


def _store(services: Services, key: str, pieces: Iterator[bytes]) -> Stored:
    stored = services.storage.put(key, pieces, max_bytes=services.settings.max_archive_bytes)
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
