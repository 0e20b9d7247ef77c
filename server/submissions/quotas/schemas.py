"""Quotas as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from server.submissions.quotas.model import Kind
from server.submissions.schemas import Reason
from server.teams.schemas import TeamName

Bound = Annotated[int, Field(ge=0, le=1_000_000)]


class AllowanceOut(BaseModel):
    """One quota; ``limit`` and ``remaining`` are null without a limit."""

    model_config = ConfigDict(from_attributes=True)

    limit: int | None
    used: int
    remaining: int | None


class QuotaOut(BaseModel):
    """What a team may still submit to a benchmark; ``per_day`` counts UTC days and begins anew at ``resets_at``."""

    benchmark: str
    per_day: AllowanceOut
    total: AllowanceOut
    at_once: AllowanceOut
    resets_at: datetime


class LimitsIn(BaseModel):
    """How many submissions a team may make to a benchmark; null is no limit."""

    model_config = ConfigDict(extra="forbid")

    per_day: Bound | None = None
    total: Bound | None = None
    at_once: Bound | None = None


class LimitsOut(BaseModel):
    """The limits of a benchmark; null is no limit."""

    benchmark: str
    per_day: int | None
    total: int | None
    at_once: int | None


class GrantIn(BaseModel):
    """More for a team than the limits say; without ``expires_at`` for good."""

    model_config = ConfigDict(extra="forbid")

    team: TeamName
    benchmark: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    kind: Kind
    extra: Annotated[int, Field(ge=1, le=1_000_000)]
    reason: Reason
    expires_at: AwareDatetime | None = None


class GrantOut(BaseModel):
    """A grant, and until when it holds."""

    id: UUID
    team: str
    benchmark: str
    kind: Kind
    extra: int
    reason: str
    granted_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class GrantsOut(BaseModel):
    """One page of grants, newest first."""

    grants: list[GrantOut]
    next_cursor: str | None
