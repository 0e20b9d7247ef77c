"""Curated entries and the audit log over HTTP. Everybody may read living entries; the rest is for maintainers."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from server.curation import service, store
from server.curation.model import NewEntry
from server.curation.schemas import (
    ActOut,
    AuditOut,
    BaselineChanges,
    BaselineIn,
    BaselineOut,
    BaselinesOut,
    RetireIn,
)
from server.db import audit
from server.http.dependencies import UnitOf
from server.http.paging import ByName, ByNumber, Name, Number
from server.http.routing import ApiRouter
from server.teams.callers import ADMIN, READ, AnyoneOf, MaintainerOf
from server.teams.model import Caller

router = ApiRouter(tags=["curation"])

OneBenchmark = Annotated[str | None, Query(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$", description="Of one board only.")]


def _maintains(caller: Caller | None) -> bool:
    return caller is not None and caller.is_maintainer


@router.get("/baselines", dependencies=[READ])
def list_baselines(caller: AnyoneOf, unit: UnitOf, page: ByName, benchmark: OneBenchmark = None) -> BaselinesOut:
    """Curated entries; maintainers see the retired ones too."""
    found = store.list_entries(
        unit.conn, benchmark_id=benchmark, retired_too=_maintains(caller), limit=page.one_more, after=page.after
    )
    shown = page.of(found, key=lambda one: Name(one.benchmark_id, one.model_key, one.id))
    return BaselinesOut(baselines=[BaselineOut.of(entry) for entry in shown.rows], next_cursor=shown.next_cursor)


@router.post("/baselines", status_code=201, dependencies=[ADMIN])
def add_baseline(body: BaselineIn, caller: MaintainerOf, unit: UnitOf, response: Response) -> BaselineOut:
    """Add a curated entry (maintainers)."""
    added = service.add(unit.conn, NewEntry(**body.model_dump()), actor=caller.actor)
    response.headers["location"] = f"/api/v1/baselines/{added.id}"
    return BaselineOut.of(added)


@router.get("/baselines/{entry_id}", dependencies=[READ])
def get_baseline(entry_id: UUID, caller: AnyoneOf, unit: UnitOf) -> BaselineOut:
    """One curated entry."""
    return BaselineOut.of(service.get(unit.conn, entry_id, retired_too=_maintains(caller)))


@router.patch("/baselines/{entry_id}", dependencies=[ADMIN])
def edit_baseline(entry_id: UUID, body: BaselineChanges, caller: MaintainerOf, unit: UnitOf) -> BaselineOut:
    """Change a curated entry (maintainers); the log keeps what it was."""
    return BaselineOut.of(service.edit(unit.conn, entry_id, changes=body.named(), actor=caller.actor))


@router.post("/baselines/{entry_id}/retire", dependencies=[ADMIN])
def retire_baseline(entry_id: UUID, body: RetireIn, caller: MaintainerOf, unit: UnitOf) -> BaselineOut:
    """Take a curated entry off the board (maintainers); it stays in the records with the reason."""
    return BaselineOut.of(service.retire(unit.conn, entry_id, reason=body.reason, actor=caller.actor))


@router.get("/audit", dependencies=[ADMIN])
def list_acts(caller: MaintainerOf, unit: UnitOf, page: ByNumber) -> AuditOut:
    """What maintainers did, newest first (maintainers)."""
    found = audit.latest(unit.conn, limit=page.one_more, after=page.after.id if page.after else None)
    shown = page.of(found, key=lambda act: Number(act.id))
    return AuditOut(audit=[ActOut.model_validate(act) for act in shown.rows], next_cursor=shown.next_cursor)
