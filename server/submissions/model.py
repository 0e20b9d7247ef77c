"""Submissions as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.submissions.lifecycle import State


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One submission. ``defects`` are the gate's, as JSON objects; the ``failure_*`` words are for its team."""

    id: UUID
    team_id: UUID
    team_name: str
    benchmark_id: str
    benchmark_version: str
    protocol: str
    model: str
    organization: str | None
    description: str
    url: str | None
    state: State
    archive_key: str | None
    archive_sha256: str | None
    archive_bytes: int | None
    defects: list[dict[str, Any]]
    failure_code: str | None
    failure_title: str | None
    failure_remedy: str | None
    created_at: datetime
    published_at: datetime | None
    embargo_until: datetime | None
    moderation_reason: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))


@dataclass(frozen=True, kw_only=True)
class Event:
    """One move, in the append-only log."""

    at: datetime
    state: State
    detail: str


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """The newest attempt at one subset, as its team sees it."""

    id: UUID
    subset: str
    state: str
    attempt: int
    stage: str | None
    done: int
    total: int
    error_code: str | None


@dataclass(frozen=True, kw_only=True)
class StoredReport:
    """Where the report of the run that scored a subset lies in the storage."""

    run: UUID
    subset: str
    report_key: str


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """One number: mean of ``n`` samples of which ``missing`` counted as zero; 0..100, two decimals."""

    protocol: str
    subset: str
    operation: str
    dimension: str
    value: float
    n: int
    missing: int


@dataclass(frozen=True, kw_only=True)
class NewSubmission:
    """What a team says when it begins."""

    benchmark: str
    model: str
    organization: str | None = None
    description: str = ""
    url: str | None = None
