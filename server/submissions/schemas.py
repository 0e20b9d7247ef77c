"""Submissions as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints

from server.addresses import is_web_address
from server.names import tidy
from server.submissions.lifecycle import State

Line = Annotated[str, StringConstraints(min_length=1, max_length=120), BeforeValidator(tidy)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=r"^[^\x00]*$")]


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500, pattern=r"^[^\x00]*$")]
"""A maintainer's words for an act that concerns a team."""


def _web_address(value: str) -> str:
    if not is_web_address(value):
        raise ValueError("must be the address of a page: https:// or http://, then a host, as in https://example.org/x")
    return value


WebAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\s\x00-\x1f\x7f]+$"),
    AfterValidator(_web_address),
]


class SubmissionIn(BaseModel):
    """What a team says when it begins a submission."""

    model_config = ConfigDict(extra="forbid")

    benchmark: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,60}$")]
    model: Line
    organization: Line | None = None
    description: Prose = ""
    url: WebAddress | None = None


class PublishIn(BaseModel):
    """When to publish: at once, or on the day when the embargo ends."""

    model_config = ConfigDict(extra="forbid")

    embargo_until: AwareDatetime | None = None


class ModerationIn(BaseModel):
    """Why a maintainer acts on an entry; its team reads it."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class EventOut(BaseModel):
    """One move of the state."""

    at: datetime
    state: State
    detail: str


class DefectOut(BaseModel):
    """One thing wrong with the archive: what, where, what to do."""

    code: str
    severity: str
    file: str | None = None
    message: str
    remedy: str


class RunErrorOut(BaseModel):
    """Why the newest attempt ended early."""

    code: str
    title: str


class RunOut(BaseModel):
    """The newest attempt at one subset."""

    subset: str
    state: str
    attempt: int
    stage: str | None
    done: int
    total: int
    error: RunErrorOut | None


class ScoreOut(BaseModel):
    """Means of ``n`` samples, of which ``missing`` had no usable image and count as zero; 0..100, two decimals."""

    ic: float
    sa: float
    ac: float
    el: float
    avg: float
    n: int
    missing: int


Results = dict[str, dict[str, ScoreOut]]
"""Subset → "all" or operation → scores."""


class FailureOut(BaseModel):
    """Why we could not finish."""

    code: str
    title: str
    remedy: str


class SubmissionOut(BaseModel):
    """A submission. ``results``: subset → "all" or operation → scores. For others, a published one shows less.

    ``beside``: the same under further protocols, by their names.
    """

    id: UUID
    benchmark: str
    benchmark_version: str
    protocol: str
    team: str
    model: str
    organization: str | None
    description: str
    url: str | None
    state: State
    state_title: str
    created_at: datetime
    published_at: datetime | None
    embargo_until: datetime | None = None
    moderation_reason: str | None = None
    archive_bytes: int | None = None
    archive_sha256: str | None = None
    events: list[EventOut] = []
    defects: list[DefectOut] = []
    runs: list[RunOut] = []
    results: Results | None = None
    beside: dict[str, Results] = {}
    failure: FailureOut | None = None
    links: dict[str, str]


class SubmissionsOut(BaseModel):
    """One page of a team's submissions, newest first."""

    submissions: list[SubmissionOut]
    next_cursor: str | None


class ReportedProtocolOut(BaseModel):
    """What a report holds under one protocol; ``suspicious``: judgements that our look at the object contradicts."""

    protocol: str
    samples: int
    suspicious: int


class ReportOut(BaseModel):
    """The report of the run that scored a subset; the ranking protocol first.

    ``readable``: false when the storage has lost it, or another version of the service wrote it.
    """

    run: UUID
    subset: str
    readable: bool
    protocols: list[ReportedProtocolOut]


class ReportsOut(BaseModel):
    """The reports of a submission, by subset."""

    reports: list[ReportOut]


def results_of(rows: list[Any]) -> dict[str, Results]:
    """Score rows (protocol, subset, operation, dimension, value, n, missing) as nested JSON, by protocol."""
    nested: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for row in rows:
        subsets = nested.setdefault(row.protocol, {})
        cell = subsets.setdefault(row.subset, {}).setdefault(row.operation, {"n": row.n, "missing": row.missing})
        cell[row.dimension] = row.value
    return {
        protocol: {s: {op: ScoreOut.model_validate(cell) for op, cell in ops.items()} for s, ops in subsets.items()}
        for protocol, subsets in nested.items()
    }
