"""Quotas over HTTP: a team reads its own, maintainers set limits and grant more."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from server.benchmarks.routes import BenchmarkId
from server.errors import InvalidError, NotFoundError
from server.http.dependencies import ServicesOf, Unit, UnitOf
from server.http.paging import ByTime, Moment
from server.http.routing import ApiRouter
from server.submissions.quotas import service, store
from server.submissions.quotas.model import Grant, Quota
from server.submissions.quotas.schemas import AllowanceOut, GrantIn, GrantOut, GrantsOut, LimitsIn, LimitsOut, QuotaOut
from server.teams import store as teams
from server.teams.callers import ADMIN, READ, MaintainerOf, SomeoneOf

router = ApiRouter(tags=["quotas"])

OneBenchmark = Annotated[str | None, Query(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$", description="Of one benchmark only.")]
OneTeam = Annotated[str | None, Query(min_length=1, max_length=60, description="Of one team only, by its name.")]


@router.get("/benchmarks/{benchmark_id}/quota", dependencies=[READ])
def get_quota(
    benchmark_id: BenchmarkId,
    caller: SomeoneOf,
    unit: UnitOf,
    services: ServicesOf,
    response: Response,
    team: OneTeam = None,
) -> QuotaOut:
    """What your team may still submit, and when the day begins anew; a maintainer names the team."""
    if caller.team_id is None and team is None:
        raise InvalidError("A maintainer has no quota.", remedy="Name a team: ?team=NAME.")
    team_id = caller.team_id if caller.team_id is not None else _team(unit, team or "")
    response.headers["cache-control"] = "private, no-store"
    return _quota(service.of_team(unit.conn, team_id=team_id, benchmark_id=benchmark_id, settings=services.settings))


@router.patch("/benchmarks/{benchmark_id}/quota-limits", dependencies=[ADMIN])
def change_limits(
    benchmark_id: BenchmarkId, body: LimitsIn, caller: MaintainerOf, unit: UnitOf, services: ServicesOf
) -> LimitsOut:
    """Say how much every team may submit to a benchmark; what is left out stays (maintainers; in the audit log)."""
    changes = body.model_dump(exclude_unset=True)
    new = service.change_limits(unit.conn, benchmark_id, changes, actor=caller.actor, settings=services.settings)
    return LimitsOut(benchmark=benchmark_id, **asdict(new))


@router.get("/quota-grants", dependencies=[ADMIN])
def list_grants(
    caller: MaintainerOf, unit: UnitOf, page: ByTime, benchmark: OneBenchmark = None, team: OneTeam = None
) -> GrantsOut:
    """What was granted, newest first (maintainers)."""
    found = store.grants(
        unit.conn,
        benchmark_id=benchmark,
        team_id=_team(unit, team) if team else None,
        limit=page.one_more,
        after=page.after,
    )
    shown = page.of(found, key=lambda one: Moment(one.created_at, one.id))
    return GrantsOut(grants=[_grant(one) for one in shown.rows], next_cursor=shown.next_cursor)


@router.post("/quota-grants", status_code=201, dependencies=[ADMIN])
def add_grant(body: GrantIn, caller: MaintainerOf, unit: UnitOf) -> GrantOut:
    """Grant a team more than the limits say (maintainers; in the audit log)."""
    added = service.grant(
        unit.conn,
        team_id=_team(unit, body.team),
        benchmark_id=body.benchmark,
        kind=body.kind,
        extra=body.extra,
        reason=body.reason,
        expires_at=body.expires_at,
        actor=caller.actor,
    )
    return _grant(added)


@router.post("/quota-grants/{grant_id}/revoke", dependencies=[ADMIN])
def revoke_grant(grant_id: UUID, caller: MaintainerOf, unit: UnitOf) -> GrantOut:
    """End a grant now (maintainers; in the audit log)."""
    return _grant(service.revoke(unit.conn, grant_id, actor=caller.actor))


def _team(unit: Unit, name: str) -> UUID:
    found = teams.find_team(unit.conn, name=name)
    if found is None:
        raise NotFoundError(f"There is no team {name!r}.", remedy="Give the team's name as it stands on the board.")
    return found.id


def _quota(quota: Quota) -> QuotaOut:
    by_kind = {one.kind: AllowanceOut.model_validate(one) for one in quota.allowances}
    return QuotaOut(benchmark=quota.benchmark_id, resets_at=quota.resets_at, **by_kind)


def _grant(grant: Grant) -> GrantOut:
    return GrantOut(
        id=grant.id,
        team=grant.team,
        benchmark=grant.benchmark_id,
        kind=grant.kind,
        extra=grant.extra,
        reason=grant.reason,
        granted_by=grant.granted_by,
        created_at=grant.created_at,
        expires_at=grant.expires_at,
        revoked_at=grant.revoked_at,
    )
