"""Submissions over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from server.db import audit
from server.http.dependencies import Services, ServicesOf, TokenOf, Unit, UnitOf
from server.http.paging import ByTime, Moment
from server.http.routing import ApiRouter
from server.submissions import reports, service, store, uploads
from server.submissions.lifecycle import State
from server.submissions.model import NewSubmission
from server.submissions.presented import numbers, public, whole
from server.submissions.schemas import ModerationIn, PublishIn, ReportsOut, SubmissionIn, SubmissionOut, SubmissionsOut
from server.teams.callers import ADMIN, READ, SUBMIT, AnyoneOf, MaintainerOf, SomeoneOf, TeamOf
from server.teams.model import Caller

router = ApiRouter(prefix="/submissions", tags=["submissions"])
_NEVER_KEPT = "no-store"


@router.post("", status_code=201, dependencies=[SUBMIT])
def create(body: SubmissionIn, response: Response, caller: TeamOf, unit: UnitOf, services: ServicesOf) -> SubmissionOut:
    """Begin a submission; then send the zip in parts to `links.uploads`, or at once by PUT to `links.archive`."""
    begun = service.begin(unit.conn, caller, NewSubmission(**body.model_dump()), settings=services.settings)
    response.headers["location"] = f"/api/v1/submissions/{begun.id}"
    return whole(unit.conn, begun)


@router.get("", dependencies=[READ])
def list_own(caller: SomeoneOf, unit: UnitOf, page: ByTime) -> SubmissionsOut:
    """Your team's submissions, newest first; a maintainer sees everybody's."""
    found = store.list_by_team(unit.conn, caller.team_id, limit=page.one_more, after=page.after)
    shown = page.of(found, key=lambda one: Moment(one.created_at, one.id))
    return SubmissionsOut(submissions=[public(one) for one in shown.rows], next_cursor=shown.next_cursor)


@router.get("/{submission_id}", dependencies=[READ])
def get(submission_id: UUID, caller: AnyoneOf, unit: UnitOf, response: Response) -> SubmissionOut:
    """A submission: whole for its team, the published part for everybody else."""
    found = service.published_or_visible(unit.conn, caller, submission_id)
    response.headers["cache-control"] = "private, no-cache"
    if service.may_see(caller, found):
        shown = whole(unit.conn, found)
        may_retry = found.state is State.FAILED and found.archive_key is not None
        if may_retry and caller is not None and caller.is_maintainer:
            shown.links["retry"] = f"/api/v1/submissions/{found.id}/retry"
        return shown
    return public(found).model_copy(
        update={
            **numbers(unit.conn, found),
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
    return await uploads.receive(submission_id, request, services, token)


@router.post("/{submission_id}/publish", dependencies=[SUBMIT])
def publish(submission_id: UUID, caller: SomeoneOf, unit: UnitOf, body: PublishIn | None = None) -> SubmissionOut:
    """Show the scores on the board, at once or when the embargo ends (at most 366 days from now)."""
    found = service.visible(unit.conn, caller, submission_id)
    until = body.embargo_until if body else None
    _note(unit, caller, "publish", submission_id, **({"embargo_until": until.isoformat()} if until else {}))
    return whole(unit.conn, service.publish(unit.conn, found, embargo_until=until))


@router.post("/{submission_id}/unpublish", dependencies=[SUBMIT])
def unpublish(submission_id: UUID, caller: SomeoneOf, unit: UnitOf) -> SubmissionOut:
    """Take the scores off the board, or an embargo back; they stay yours."""
    _note(unit, caller, "unpublish", submission_id)
    return whole(unit.conn, service.unpublish(unit.conn, service.visible(unit.conn, caller, submission_id)))


@router.post("/{submission_id}/withdraw", dependencies=[SUBMIT])
def withdraw(submission_id: UUID, caller: SomeoneOf, unit: UnitOf, services: ServicesOf) -> SubmissionOut:
    """End the submission for good; its archive is deleted."""
    found = service.visible(unit.conn, caller, submission_id)
    _note(unit, caller, "withdraw", submission_id)
    archive = store.lock_archive_key(unit.conn, submission_id)  # an upload may have been accepted since we looked
    ended = service.withdraw(unit.conn, found)
    if archive is not None:
        unit.after_commit.append(partial(services.storage.delete, archive))
    return whole(unit.conn, ended)


@router.post("/{submission_id}/hide", dependencies=[ADMIN])
def hide(submission_id: UUID, body: ModerationIn, caller: MaintainerOf, unit: UnitOf) -> SubmissionOut:
    """Take an entry off the board until a maintainer shows it again (maintainers); its team reads the reason."""
    found = service.hide(unit.conn, service.visible(unit.conn, caller, submission_id), reason=body.reason)
    _note(unit, caller, "hide", submission_id, reason=body.reason)
    return whole(unit.conn, found)


@router.post("/{submission_id}/show", dependencies=[ADMIN])
def show(submission_id: UUID, body: ModerationIn, caller: MaintainerOf, unit: UnitOf) -> SubmissionOut:
    """Put an entry back on the board (maintainers)."""
    found = service.show(unit.conn, service.visible(unit.conn, caller, submission_id))
    _note(unit, caller, "show", submission_id, reason=body.reason)
    return whole(unit.conn, found)


@router.post("/{submission_id}/disqualify", dependencies=[ADMIN])
def disqualify(submission_id: UUID, body: ModerationIn, caller: MaintainerOf, unit: UnitOf) -> SubmissionOut:
    """Say that a result does not count (maintainers); its team reads the reason."""
    found = service.disqualify(unit.conn, service.visible(unit.conn, caller, submission_id), reason=body.reason)
    _note(unit, caller, "disqualify", submission_id, reason=body.reason)
    return whole(unit.conn, found)


@router.post("/{submission_id}/reinstate", dependencies=[ADMIN])
def reinstate(submission_id: UUID, body: ModerationIn, caller: MaintainerOf, unit: UnitOf) -> SubmissionOut:
    """Let a disqualified result count again (maintainers); its team decides whether to publish it."""
    found = service.reinstate(unit.conn, service.visible(unit.conn, caller, submission_id))
    _note(unit, caller, "reinstate", submission_id, reason=body.reason)
    return whole(unit.conn, found)


@router.post("/{submission_id}/retry", dependencies=[ADMIN])
def retry(submission_id: UUID, caller: MaintainerOf, unit: UnitOf, services: ServicesOf) -> SubmissionOut:
    """Try a failed submission anew (maintainers)."""
    found = service.retry(unit.conn, service.visible(unit.conn, caller, submission_id))
    _note(unit, caller, "retry", submission_id)
    _tell_queue(unit, services, submission_id)
    return whole(unit.conn, found)


@router.get("/{submission_id}/reports", dependencies=[ADMIN])
def list_reports(
    submission_id: UUID, caller: MaintainerOf, unit: UnitOf, services: ServicesOf, response: Response
) -> ReportsOut:
    """Which subsets have a report, and what is in it (maintainers; kept in the audit log)."""
    service.visible(unit.conn, caller, submission_id)
    found = reports.listed(unit.conn, services.storage, submission_id)
    _note(unit, caller, "explained", submission_id, subsets=[one.subset for one in found])
    response.headers["cache-control"] = _NEVER_KEPT
    return ReportsOut(reports=found)


@router.get(
    "/{submission_id}/reports/{subset}",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "The report"}},
    dependencies=[ADMIN],
)
def get_report(
    submission_id: UUID, subset: str, caller: MaintainerOf, unit: UnitOf, services: ServicesOf
) -> StreamingResponse:
    """The report on one subset: every sample with every quantity behind its scores (maintainers; in the audit log)."""
    service.visible(unit.conn, caller, submission_id)
    report = reports.of_subset(unit.conn, submission_id, subset)
    content = reports.content(services.storage, report)
    _note(unit, caller, "explained", submission_id, subset=subset, run=str(report.run))
    return StreamingResponse(content, media_type="application/json", headers={"cache-control": _NEVER_KEPT})


def _note(unit: Unit, caller: Caller, act: str, submission_id: UUID, **detail: Any) -> None:
    """What a maintainer does to a submission is in the audit log; it stands or falls with the act."""
    if caller.is_maintainer:
        action = f"submission.{act}"
        audit.record(unit.conn, actor=caller.actor, action=action, subject=str(submission_id), detail=detail)


def _tell_queue(unit: Unit, services: Services, submission_id: UUID) -> None:
    unit.after_commit.append(partial(services.queue.validate, submission_id))
