"""Notices over HTTP: a team says where it wants to be told, and sees what became of it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from server.http.dependencies import ServicesOf, UnitOf
from server.http.paging import ByTime, Moment
from server.http.routing import ApiRouter
from server.notices import service, store
from server.notices.model import DeliveryState
from server.notices.schemas import (
    AddedOut,
    CodeIn,
    DeliveriesOut,
    DeliveryOut,
    MailIn,
    TargetOut,
    TargetsOut,
    WebhookIn,
)
from server.teams.callers import ADMIN, READ, SUBMIT, SomeoneOf, TeamOf

router = ApiRouter(prefix="/notices", tags=["notices"])


def _team(caller: TeamOf) -> UUID:
    assert caller.team_id is not None  # noqa: S101 - a team's token has one
    return caller.team_id


@router.get("", dependencies=[READ])
def list_targets(caller: TeamOf, unit: UnitOf) -> TargetsOut:
    """Where your team is told of its submissions' endings."""
    return TargetsOut(targets=[TargetOut.model_validate(one) for one in store.targets(unit.conn, _team(caller))])


@router.post("/webhooks", status_code=201, dependencies=[ADMIN])
def add_webhook(body: WebhookIn, caller: TeamOf, unit: UnitOf, services: ServicesOf, response: Response) -> AddedOut:
    """POST to an address when a submission ends. Keep the secret, shown this once: it proves who sent a notice."""
    response.headers["cache-control"] = "no-store"
    return _added(service.add_webhook(unit.conn, services.settings, team_id=_team(caller), url=body.url))


@router.post("/emails", status_code=201, dependencies=[ADMIN])
def add_email(body: MailIn, caller: TeamOf, unit: UnitOf, services: ServicesOf) -> AddedOut:
    """Mail to an address when a submission ends, once its owner has confirmed it with the code mailed there."""
    return _added(service.add_email(unit.conn, services.settings, team_id=_team(caller), address=body.address))


@router.post("/{target_id}/confirm", dependencies=[ADMIN])
def confirm(target_id: UUID, body: CodeIn, caller: TeamOf, unit: UnitOf, services: ServicesOf) -> TargetOut:
    """Confirm an e-mail address with the code that was mailed there."""
    found = service.confirm(unit.conn, services.settings, target_id, team_id=_team(caller), code=body.code)
    return TargetOut.model_validate(found)


@router.post("/{target_id}/test", status_code=202, dependencies=[SUBMIT])
def test(target_id: UUID, caller: TeamOf, unit: UnitOf) -> TargetOut:
    """Send a notice that tells nothing, to see that it arrives."""
    service.test(unit.conn, target_id, team_id=_team(caller))
    return TargetOut.model_validate(service.get(unit.conn, target_id, team_id=_team(caller)))


@router.delete("/{target_id}", status_code=204, dependencies=[ADMIN])
def remove(target_id: UUID, caller: TeamOf, unit: UnitOf) -> None:
    """Send nothing there any more."""
    service.remove(unit.conn, target_id, team_id=_team(caller))


Given = Annotated[DeliveryState | None, Query(description="Those of one state only, such as dead.")]


@router.get("/deliveries", dependencies=[READ])
def list_deliveries(caller: SomeoneOf, unit: UnitOf, page: ByTime, state: Given = None) -> DeliveriesOut:
    """What was sent to your team's targets, newest first; a maintainer sees everybody's."""
    found = store.deliveries(unit.conn, team_id=caller.team_id, state=state, limit=page.one_more, after=page.after)
    shown = page.of(found, key=lambda one: Moment(one.created_at, one.id))
    return DeliveriesOut(
        deliveries=[DeliveryOut.model_validate(one) for one in shown.rows], next_cursor=shown.next_cursor
    )


@router.post("/deliveries/{delivery_id}/retry", status_code=202, dependencies=[SUBMIT])
def retry(delivery_id: UUID, caller: SomeoneOf, unit: UnitOf) -> None:
    """Try a delivery that was given up anew."""
    service.retry(unit.conn, delivery_id, team_id=caller.team_id)


def _added(added: service.Added) -> AddedOut:
    told = TargetOut.model_validate(added.target).model_dump()
    return AddedOut(**told, secret=added.secret or None)
