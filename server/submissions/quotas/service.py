"""Use-cases of quotas. Each runs inside the caller's transaction; nothing here commits.

A quota is reserved by the submission that takes it: :func:`reserve` locks the team, counts, and the submission is
inserted in the same transaction. It is given back by the submission's becoming one that costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from server.benchmarks import service as benchmarks
from server.db import audit
from server.errors import ConflictError, InvalidError, NotFoundError, QuotaError
from server.settings import Settings
from server.submissions.lifecycle import AT_WORK, COST_NOTHING
from server.submissions.quotas import store
from server.submissions.quotas.model import KINDS, Allowance, Grant, Kind, Limits, Quota

_SOON = 60
_A_DAY = 24 * 3600
_FREE = "What is rejected or fails on our side costs nothing."


def defaults(settings: Settings) -> Limits:
    """The limits of benchmarks that have none of their own."""
    return Limits(per_day=settings.quota_per_day, total=settings.quota_total, at_once=settings.quota_at_once)


def of_team(conn: Connection, *, team_id: UUID, benchmark_id: str, settings: Settings) -> Quota:
    """What a team may still submit to a benchmark. Raises NotFoundError for an unknown benchmark."""
    benchmarks.get(conn, benchmark_id)
    limits = store.limits(conn, benchmark_id) or defaults(settings)
    granted = store.granted(conn, team_id=team_id, benchmark_id=benchmark_id)
    used = store.usage(conn, team_id=team_id, benchmark_id=benchmark_id, free=COST_NOTHING, at_work=AT_WORK)
    return Quota(
        benchmark_id=benchmark_id,
        allowances=tuple(
            Allowance(kind=kind, limit=_sum(getattr(limits, kind), getattr(granted, kind)), used=getattr(used, kind))
            for kind in KINDS
        ),
        resets_at=used.resets_at,
        resets_in=used.resets_in,
    )


def reserve(conn: Connection, *, team_id: UUID, benchmark_id: str, settings: Settings) -> None:
    """Make sure that one more submission of the team is within its quotas, until the transaction ends.

    Raises QuotaError where it is not; of several at once exactly as many pass as places are left.
    """
    store.lock_team(conn, team_id)
    quota = of_team(conn, team_id=team_id, benchmark_id=benchmark_id, settings=settings)
    for allowance in quota.allowances:
        if allowance.remaining == 0:
            raise _exhausted(allowance, quota)


def _exhausted(allowance: Allowance, quota: Quota) -> QuotaError:
    many = f"{allowance.limit} submission" + ("" if allowance.limit == 1 else "s")
    if allowance.kind == "per_day":
        when = quota.resets_at.strftime("%Y-%m-%d %H:%M UTC")
        return QuotaError(
            f"Your team has made its {many} to {quota.benchmark_id} for today.",
            remedy=f"The next day begins at {when}. {_FREE}",
            retry_after=quota.resets_in,
        )
    if allowance.kind == "at_once":
        return QuotaError(
            f"Your team has {many} to {quota.benchmark_id} under way, the most allowed at once.",
            remedy="Wait until one of them is scored, or withdraw one whose archive you will not send.",
            retry_after=_SOON,
        )
    return QuotaError(
        f"Your team has made all its {many} to {quota.benchmark_id}.",
        remedy=f"Ask the maintainers for more, and say why. {_FREE}",
        retry_after=_A_DAY,
    )


def change_limits(
    conn: Connection, benchmark_id: str, changes: Mapping[str, int | None], *, actor: str, settings: Settings
) -> Limits:
    """Give a benchmark limits of its own: those named change, None takes one away. Raises NotFoundError."""
    benchmarks.get(conn, benchmark_id)
    before = store.limits(conn, benchmark_id) or defaults(settings)
    new = replace(before, **changes)
    if new != before:
        store.set_limits(conn, benchmark_id, new)
        detail: dict[str, Any] = {kind: {"from": getattr(before, kind), "to": getattr(new, kind)} for kind in KINDS}
        audit.record(conn, actor=actor, action="quota.limits", subject=benchmark_id, detail=detail)
    return new


def grant(
    conn: Connection,
    *,
    team_id: UUID,
    benchmark_id: str,
    kind: Kind,
    extra: int,
    reason: str,
    expires_at: datetime | None,
    actor: str,
) -> Grant:
    """Grant a team more. Raises NotFoundError for an unknown benchmark, InvalidError for one that is over already."""
    benchmarks.get(conn, benchmark_id)
    if expires_at is not None and expires_at <= datetime.now(expires_at.tzinfo):
        raise InvalidError("The grant would have expired already.", remedy="Name a later expires_at, or none.")
    grant_id = store.add_grant(
        conn,
        team_id=team_id,
        benchmark_id=benchmark_id,
        kind=kind,
        extra=extra,
        reason=reason,
        granted_by=actor,
        expires_at=expires_at,
    )
    detail = {"team": str(team_id), "benchmark": benchmark_id, "kind": kind, "extra": extra, "reason": reason}
    audit.record(conn, actor=actor, action="quota.grant", subject=str(grant_id), detail=detail)
    return _found(conn, grant_id)


def revoke(conn: Connection, grant_id: UUID, *, actor: str) -> Grant:
    """End a grant now; what was submitted under it stays. Raises NotFoundError, ConflictError."""
    _found(conn, grant_id)
    if not store.revoke_grant(conn, grant_id):
        raise ConflictError("The grant has been revoked before.", remedy="There is nothing to take back.")
    audit.record(conn, actor=actor, action="quota.revoke", subject=str(grant_id))
    return _found(conn, grant_id)


def _found(conn: Connection, grant_id: UUID) -> Grant:
    found = store.grant(conn, grant_id)
    if found is None:
        raise NotFoundError("There is no such grant.")
    return found


def _sum(limit: int | None, extra: int) -> int | None:
    return None if limit is None else limit + extra
