"""Boards as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

EVERYTHING = "all"
"""The operation under which the numbers over all samples stand."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a board; ``rank`` None without the ranking number; ``scores`` 0..100, two decimals, by dimension."""

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
    scores: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board under one protocol and filter.

    ``subset`` None is the mean over subsets, ``operation`` None is all operations.
    """

    benchmark: str
    protocol: str
    subset: str | None
    operation: str | None
    ranked_by: str
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
