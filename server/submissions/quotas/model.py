"""Quotas as values. Counts are of submissions; None is no limit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal["per_day", "total", "at_once"]
KINDS: tuple[Kind, ...] = ("per_day", "total", "at_once")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many submissions a team may make to a benchmark in a UTC day, in all, and have at work at once."""

    per_day: int | None
    total: int | None
    at_once: int | None


@dataclass(frozen=True, kw_only=True)
class Granted:
    """What maintainers have granted a team beyond the limits."""

    per_day: int
    total: int
    at_once: int


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a team has used; the day ends at ``resets_at``, in ``resets_in`` seconds."""

    per_day: int
    total: int
    at_once: int
    resets_at: datetime
    resets_in: int


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One quota of a team. ``limit`` has the grants in it; ``remaining`` is never negative."""

    kind: Kind
    limit: int | None
    used: int

    @property
    def remaining(self) -> int | None:
        """How many more; None without a limit."""
        return None if self.limit is None else max(0, self.limit - self.used)


@dataclass(frozen=True, kw_only=True)
class Quota:
    """All that a team may still do at a benchmark."""

    benchmark_id: str
    allowances: tuple[Allowance, ...]
    resets_at: datetime
    resets_in: int


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a maintainer granted, and why."""

    id: UUID
    team: str
    benchmark_id: str
    kind: Kind
    extra: int
    reason: str
    granted_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
