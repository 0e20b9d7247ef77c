"""Boards as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class RowOut(BaseModel):
    """One entry; ``rank`` is null without the ranking number."""

    model_config = ConfigDict(from_attributes=True)

    rank: int | None
    entry_id: UUID
    kind: Literal["submission", "curated"]
    provenance: Literal["scored", "paper", "curated"]
    model: str
    organization: str | None
    access: Literal["open", "closed"] | None
    size: str | None
    team: str | None
    protocol: str | None
    submitted_at: datetime | None
    source_url: str | None
    scores: dict[str, float] = Field(description="By dimension, 0..100, two decimals; a missing one is absent.")


class BoardOut(BaseModel):
    """A board; without ``subset`` the mean over the subsets, of the entries that have them all."""

    benchmark: str
    protocol: str
    subset: str | None
    operation: str | None
    ranked_by: str
    columns: list[str]
    rows: list[RowOut]
