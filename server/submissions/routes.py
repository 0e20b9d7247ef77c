"""Submissions over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import anyio.from_thread
import anyio.to_thread
from fastapi import APIRouter, Header, Request, Response
from psycopg import Connection
from starlette.requests import ClientDisconnect

from server.db import audit
from server.db.pool import transaction
from server.errors import (
    LengthMismatchError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from server.http.dependencies import Services, ServicesOf, TokenOf, Unit, UnitOf
from server.http.paging import PageOf
from server.storage.port import CHUNK_BYTES, Stored, new_archive_key
from server.submissions import service, store
from server.submissions.lifecycle import TITLES, State
from server.submissions.model import NewSubmission, Submission
from server.submissions.schemas import (
    DefectOut,
    EventOut,
    FailureOut,
    RunErrorOut,
    RunOut,
    SubmissionIn,
    SubmissionOut,
    SubmissionsOut,
    results_of,
)
from server.teams import service as teams
from server.teams.callers import AnyoneOf, MaintainerOf, SomeoneOf, TeamOf
from server.teams.model import Caller

_LOG = logging.getLogger("gsi.http")
router = APIRouter(prefix="/submissions", tags=["submissions"])

_ZIP_TYPES = {"application/zip", "application/x-zip-compressed", "application/octet-stream"}
_RUN_ERRORS = {"lost": "The worker was lost; another one takes over.", "retry": "A passing fault; it is tried again."}
_SETTLED = {State.SCORED, State.PUBLISHED}


@router.post("", status_code=201)
def create(
    body: SubmissionIn,
    response: Response,
    caller: TeamOf,
    unit: UnitOf,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> SubmissionOut:
    """Begin a submission; then PUT the zip to `links.archive`. Repeating with the same Idempotency-Key is harmless."""
    new = NewSubmission(**body.model_dump())
    begun = service.begin(unit.conn, caller, new, idempotency_key=idempotency_key)
    response.headers["location"] = f"/api/v1/submissions/{begun.submission.id}"
    if not begun.fresh:
        response.headers["idempotent-replayed"] = "true"
    return _whole(unit.conn, begun.submission)


@router.get("")
def list_own(caller: SomeoneOf, unit: UnitOf, page: PageOf) -> SubmissionsOut:
    """Your team's submissions, newest first; a maintainer sees everybody's."""
    found = store.list_by_team(unit.conn, caller.team_id, limit=page.limit, offset=page.offset)
    return SubmissionsOut(submissions=[_base(one) for one in found])


@router.get("/{submission_id}")
def get(submission_id: UUID, caller: AnyoneOf, unit: UnitOf, response: Response) -> SubmissionOut:
    """A submission: whole for its team, the published part for everybody else."""
    found = service.published_or_visible(unit.conn, caller, submission_id)
    response.headers["cache-control"] = "private, no-cache"
    if service.may_see(caller, found):
        return _whole(unit.conn, found)
    return _base(found).model_copy(
        update={
            **_numbers(unit.conn, found),
            "archive_bytes": None,
            "archive_sha256": None,
        }
    )


@router.put(
    "/{submission_id}/archive",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload(submission_id: UUID, request: Request, services: ServicesOf, token: TokenOf) -> SubmissionOut:
    """Send the zip as the request's body. It goes to storage as it comes; the check begins when it is whole."""
    _check_announced(request, services.settings.max_archive_bytes)
    async with services.turns.one():
        await anyio.to_thread.run_sync(_may_upload, services, token, submission_id)
    key = new_archive_key(submission_id)
    stored = await _receive(request, services, key)
    try:
        async with services.turns.one():
            return await anyio.to_thread.run_sync(_accept, services, token, submission_id, key, stored)
    except UnavailableError:  # no turn: what nobody knows of must not stay in storage
        await anyio.to_thread.run_sync(_delete_unless_accepted, services, submission_id, key)
        raise


async def _receive(request: Request, services: Services, key: str) -> Stored:
    pieces = _pieces(request, seconds=services.settings.upload_piece_seconds)
    of_its_own = anyio.CapacityLimiter(1)  # slow uploads must not use up the threads that answer everybody else
    async with services.uploads.one():
        try:
            return await anyio.to_thread.run_sync(_store, services, key, pieces, limiter=of_its_own)
        except ClientDisconnect as gone:
            raise LengthMismatchError("The connection ended before the archive was whole.") from gone
        except TimeoutError as silence:
            raise LengthMismatchError("The archive came too slowly.") from silence


def _check_announced(request: Request, most: int) -> None:
    """Refuse by the headers what would be refused after gigabytes."""
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type not in _ZIP_TYPES:
        raise UnsupportedMediaTypeError(f"The content type is {content_type or 'missing'}; application/zip is needed.")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise TooLargeError(f"The archive has {int(announced):,} bytes; at most {most:,} are allowed.")


def _may_upload(services: Services, token: str | None, submission_id: UUID) -> None:
    with transaction(services.pool) as conn:
        _awaiting(conn, services, token, submission_id)


def _awaiting(conn: Connection, services: Services, token: str | None, submission_id: UUID) -> Submission:
    caller = teams.caller_of(conn, services.settings, token)
    if caller is None:
        raise UnauthorizedError
    return service.awaits_archive(conn, caller, submission_id)


def _pieces(request: Request, *, seconds: float) -> Callable[[], bytes | None]:
    """A function for a worker thread that gives the next megabyte of the body, None at the end.

    It raises TimeoutError when that takes longer than ``seconds``.
    """
    stream = request.stream()

    async def more() -> bytes | None:
        buffer = bytearray()
        with anyio.fail_after(seconds):
            async for chunk in stream:
                buffer += chunk
                if len(buffer) >= CHUNK_BYTES:
                    break
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
            answer = _whole(conn, service.accept_archive(conn, submission_id, key=key, stored=stored))
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


@router.post("/{submission_id}/publish")
def publish(submission_id: UUID, caller: SomeoneOf, unit: UnitOf) -> SubmissionOut:
    """Show the scores on the board."""
    _note(unit, caller, "publish", submission_id)
    return _whole(unit.conn, service.publish(unit.conn, service.visible(unit.conn, caller, submission_id)))


@router.post("/{submission_id}/unpublish")
def unpublish(submission_id: UUID, caller: SomeoneOf, unit: UnitOf) -> SubmissionOut:
    """Take the scores off the board; they stay yours."""
    _note(unit, caller, "unpublish", submission_id)
    return _whole(unit.conn, service.unpublish(unit.conn, service.visible(unit.conn, caller, submission_id)))


@router.post("/{submission_id}/withdraw")
def withdraw(submission_id: UUID, caller: SomeoneOf, unit: UnitOf, services: ServicesOf) -> SubmissionOut:
    """End the submission for good; its archive is deleted."""
    found = service.visible(unit.conn, caller, submission_id)
    _note(unit, caller, "withdraw", submission_id)
    ended = service.withdraw(unit.conn, found)
    if found.archive_key is not None:
        unit.after_commit.append(partial(services.storage.delete, found.archive_key))
    return _whole(unit.conn, ended)


@router.post("/{submission_id}/retry")
def retry(submission_id: UUID, caller: MaintainerOf, unit: UnitOf, services: ServicesOf) -> SubmissionOut:
    """Try a failed submission anew (maintainers)."""
    found = service.retry(unit.conn, service.visible(unit.conn, caller, submission_id))
    _note(unit, caller, "retry", submission_id)
    _tell_queue(unit, services, submission_id)
    return _whole(unit.conn, found)


def _note(unit: Unit, caller: Caller, act: str, submission_id: UUID) -> None:
    """What a maintainer does to a submission is in the audit log; it stands or falls with the act."""
    if caller.is_maintainer:
        audit.record(unit.conn, actor=caller.actor, action=f"submission.{act}", subject=str(submission_id))


def _tell_queue(unit: Unit, services: Services, submission_id: UUID) -> None:
    unit.after_commit.append(partial(services.queue.validate, submission_id))


def _base(found: Submission) -> SubmissionOut:
    here = f"/api/v1/submissions/{found.id}"
    return SubmissionOut(
        id=found.id,
        benchmark=found.benchmark_id,
        benchmark_version=found.benchmark_version,
        protocol=found.protocol,
        team=found.team_name,
        model=found.model,
        organization=found.organization,
        description=found.description,
        url=found.url,
        state=found.state,
        state_title=TITLES[found.state],
        created_at=found.created_at,
        published_at=found.published_at,
        archive_bytes=found.archive_bytes,
        archive_sha256=found.archive_sha256,
        links={"self": here, "archive": f"{here}/archive"},
    )


def _whole(conn: Connection, found: Submission) -> SubmissionOut:
    """All that its team may see."""
    return _base(found).model_copy(
        update={
            "events": [EventOut(at=e.at, state=e.state, detail=e.detail) for e in store.events(conn, found.id)],
            "defects": [DefectOut.model_validate(defect) for defect in found.defects],
            "runs": [
                RunOut(
                    subset=run.subset,
                    state=run.state,
                    attempt=run.attempt,
                    stage=run.stage,
                    done=run.done,
                    total=run.total,
                    error=_run_error(run.error_code),
                )
                for run in store.newest_runs(conn, found.id)
            ],
            **(_numbers(conn, found) if found.state in _SETTLED else {}),
            "failure": FailureOut(
                code=found.failure_code, title=found.failure_title or "", remedy=found.failure_remedy or ""
            )
            if found.failure_code
            else None,
        }
    )


def _numbers(conn: Connection, found: Submission) -> dict[str, Any]:
    """``results`` under the protocol that ranks, ``beside`` under the others."""
    everything = results_of(store.scores(conn, found.id))
    return {"results": everything.pop(found.protocol, None), "beside": everything}


def _run_error(code: str | None) -> RunErrorOut | None:
    return RunErrorOut(code=code, title=_RUN_ERRORS.get(code, "The attempt failed.")) if code else None
