"""What concerns a team alone, as frozen values: quotas, progress, notices."""

from dataclasses import dataclass
from typing import Self

from frontend.members import Json, text


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One quota; `limit` and `remaining` are None without a limit."""

    limit: int | None
    used: int
    remaining: int | None

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of a quota."""
        limit, remaining = data.get("limit"), data.get("remaining")
        return cls(
            limit=None if limit is None else int(limit),
            used=int(data["used"]),
            remaining=None if remaining is None else int(remaining),
        )


@dataclass(frozen=True, kw_only=True)
class Quota:
    """What a team may still submit to a benchmark; the day begins anew at `resets_at`."""

    benchmark: str
    per_day: Allowance
    total: Allowance
    at_once: Allowance
    resets_at: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From GET /benchmarks/{id}/quota."""
        parts = {kind: Allowance.read(data[kind]) for kind in ("per_day", "total", "at_once")}
        return cls(benchmark=text(data, "benchmark"), resets_at=text(data, "resets_at"), **parts)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a maintainer granted a team beyond the limits."""

    id: str
    team: str
    benchmark: str
    kind: str
    extra: int
    reason: str
    created_at: str
    expires_at: str
    revoked_at: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of GET /quota-grants."""
        words = ("team", "benchmark", "kind", "reason", "created_at", "expires_at", "revoked_at")
        return cls(id=str(data["id"]), extra=int(data["extra"]), **{name: text(data, name) for name in words})


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a submission is: its place in the queue, `done` of `total` samples, seconds until it may be ready.

    `position` is -1 where it waits for nobody; `p50` and `p90` are None where nothing can be said.
    """

    state: str
    at_rest: bool
    position: int
    stage: str
    done: int
    total: int
    p50: int | None
    p90: int | None

    @classmethod
    def read(cls, data: Json) -> Self:
        """From GET /submissions/ID/progress, or an event of its stream."""
        estimate, position = data.get("estimate"), data.get("position")
        return cls(
            state=str(data["state"]),
            at_rest=bool(data["at_rest"]),
            position=-1 if position is None else int(position),
            stage=text(data, "stage"),
            done=int(data["done"]),
            total=int(data["total"]),
            p50=int(estimate["p50"]) if estimate else None,
            p90=int(estimate["p90"]) if estimate else None,
        )


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a team is told of endings; `secret` is there only in the answer that makes a webhook."""

    id: str
    kind: str
    address: str
    confirmed_at: str
    secret: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of GET /notices."""
        words = ("kind", "address", "confirmed_at", "secret")
        return cls(id=str(data["id"]), **{name: text(data, name) for name in words})


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One notice: pending, delivered, or dead."""

    id: str
    address: str
    what: str
    state: str
    attempts: int
    last_error: str
    created_at: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of GET /notices/deliveries."""
        words = ("address", "what", "state", "last_error", "created_at")
        return cls(id=str(data["id"]), attempts=int(data["attempts"]), **{name: text(data, name) for name in words})
