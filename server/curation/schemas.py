"""Curated entries as JSON."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from server.curation.model import Access, Entry, Provenance
from server.submissions.schemas import Line, Prose, WebAddress

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EASTERNMOST = timezone(timedelta(hours=14))
"""Where a day begins first."""


def _iso_day(value: Any) -> date:
    if not isinstance(value, str) or not _ISO_DAY.fullmatch(value):
        raise ValueError("must be a day written as 2026-11-23")
    return date.fromisoformat(value)


def _has_come(value: date) -> date:
    if value > datetime.now(_EASTERNMOST).date():
        raise ValueError("must not be in the future")
    return value


Day = Annotated[date, BeforeValidator(_iso_day), AfterValidator(_has_come)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120)]
ScoresIn = Annotated[
    dict[Name, Annotated[dict[Name, Percent], Field(min_length=1, max_length=50)]],
    Field(min_length=1, max_length=50, description="Subset → dimension → 0..100."),
]
ScoreChanges = Annotated[
    dict[Name, Annotated[dict[Name, Percent | None], Field(max_length=50)]],
    Field(max_length=50, description="Only the numbers to change; null takes one away."),
]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=r"^[^\x00]*$")]


class BaselineIn(BaseModel):
    """Numbers of a model, and where they stand."""

    model_config = ConfigDict(extra="forbid")

    benchmark: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    model: Line
    organization: Line
    access: Access
    size: Line | None = None
    access_date: Annotated[Day, Field(description="When the model or the source was used; not in the future.")]
    source_url: WebAddress
    source_note: Prose = ""
    scores: ScoresIn


class BaselineChanges(BaseModel):
    """What shall change; everything else stays as it is."""

    model_config = ConfigDict(extra="forbid")

    model: Line | None = None
    organization: Line | None = None
    access: Access | None = None
    size: Line | None = None
    access_date: Day | None = None
    source_url: WebAddress | None = None
    source_note: Prose | None = None
    scores: ScoreChanges | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one thing to change")
        for name in self.model_fields_set - {"size"}:
            if getattr(self, name) is None:
                raise ValueError(f"{name} can be changed, not taken away")
        return self

    def named(self) -> dict[str, Any]:
        """The members that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class RetireIn(BaseModel):
    """Why an entry leaves the board."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class BaselineOut(BaseModel):
    """A curated entry."""

    id: UUID
    benchmark: str
    model: str
    organization: str | None
    access: Access | None
    size: str | None
    provenance: Provenance
    access_date: date | None
    source_url: str
    source_note: str
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None
    retired_reason: str | None
    scores: dict[str, dict[str, float]]

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """From the value."""
        words = {name: getattr(entry, name) for name in cls.model_fields if name != "benchmark"}
        return cls(benchmark=entry.benchmark_id, **words)


class BaselinesOut(BaseModel):
    """One page of curated entries."""

    baselines: list[BaselineOut]
    next_cursor: str | None


class ActOut(BaseModel):
    """One act of a maintainer."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class AuditOut(BaseModel):
    """One page of the audit log, newest first."""

    audit: list[ActOut]
    next_cursor: str | None
