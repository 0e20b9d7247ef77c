"""Curated entries as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

Access = Literal["open", "closed"]
Provenance = Literal["paper", "curated"]
Scores = Mapping[str, Mapping[str, float | None]]
"""Subset → dimension → 0..100. In a change, None takes a number away."""


@dataclass(frozen=True, kw_only=True)
class NewEntry:
    """What a maintainer says of a model's numbers; ``access_date`` is when the source was read."""

    benchmark: str
    model: str
    organization: str | None = None
    access: Access | None = None
    size: str | None = None
    access_date: date | None = None
    source_url: str
    source_note: str = ""
    scores: Scores


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One curated entry, living or retired; ``model_key`` is what the database sorts its model by."""

    id: UUID
    model_key: str
    benchmark_id: str
    model: str
    organization: str | None
    access: Access | None
    size: str | None
    provenance: Provenance
    source_url: str
    source_note: str
    access_date: date | None
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None
    retired_reason: str | None
    scores: dict[str, dict[str, float]]
