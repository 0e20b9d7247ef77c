"""The REST resources as frozen values. Reading is tolerant of new members and strict about the ones we need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

Json = Mapping[str, Any]


def _text(data: Json, key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _items(data: Json, key: str) -> Sequence[Any]:
    value = data.get(key)
    return value if isinstance(value, list) else []


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One column of a board: `id` in JSON, `label` for a table head, `title` in words, `unit`, `better` high or low."""

    id: str
    label: str
    title: str
    unit: str
    better: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of a benchmark's `dimensions`."""
        label = _text(data, "label") or str(data["id"]).upper()
        return cls(
            id=str(data["id"]),
            label=label,
            title=_text(data, "title") or label,
            unit=_text(data, "unit"),
            better=_text(data, "better") or "high",
        )


@dataclass(frozen=True, kw_only=True)
class Subset:
    """A part of a benchmark with its number of samples (None when the publication gives none)."""

    id: str
    title: str
    samples: int | None

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of a benchmark's `subsets`."""
        samples = data.get("samples")
        return cls(
            id=str(data["id"]),
            title=_text(data, "title") or str(data["id"]),
            samples=int(samples) if samples is not None else None,
        )


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A benchmark; `kind` is scored (numbers made here) or published (numbers from papers).

    `ranked_by` is the id of the dimension that gives the rank. `protocols` are the profiles with a board, the one that
    ranks submissions first.
    """

    id: str
    title: str
    description: str
    kind: str
    protocol: str
    protocols: tuple[str, ...]
    version: str
    accepts_submissions: bool
    missing_instruments: tuple[str, ...]
    ranked_by: str
    dimensions: tuple[Dimension, ...]
    subsets: tuple[Subset, ...]
    operations: tuple[str, ...]

    @classmethod
    def read(cls, data: Json) -> Self:
        """From GET /benchmarks/{id} or one member of GET /benchmarks."""
        return cls(
            id=str(data["id"]),
            title=_text(data, "title") or str(data["id"]),
            description=_text(data, "description"),
            kind=_text(data, "kind") or "published",
            protocol=_text(data, "protocol"),
            version=_text(data, "version"),
            protocols=tuple(str(item) for item in data.get("protocols") or [_text(data, "protocol")]),
            accepts_submissions=bool(data.get("accepts_submissions")),
            missing_instruments=tuple(str(item) for item in data.get("missing_instruments") or ()),
            ranked_by=_text(data, "ranked_by"),
            dimensions=tuple(Dimension.read(item) for item in _items(data, "dimensions")),
            subsets=tuple(Subset.read(item) for item in _items(data, "subsets")),
            operations=tuple(str(item) for item in _items(data, "operations")),
        )


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a board. `rank` is None for an entry that lacks the ranking score; scores are 0..100."""

    rank: int | None
    entry_id: str
    kind: str
    provenance: str
    model: str
    organization: str
    access: str
    size: str
    team: str
    protocol: str
    submitted_at: str
    source_url: str
    scores: Mapping[str, float | None]

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of a leaderboard's `rows`."""
        rank = data.get("rank")
        return cls(
            rank=int(rank) if rank is not None else None,
            entry_id=_text(data, "entry_id"),
            kind=_text(data, "kind"),
            provenance=_text(data, "provenance"),
            model=str(data["model"]),
            organization=_text(data, "organization"),
            access=_text(data, "access"),
            size=_text(data, "size"),
            team=_text(data, "team"),
            protocol=_text(data, "protocol"),
            submitted_at=_text(data, "submitted_at"),
            source_url=_text(data, "source_url"),
            scores={str(key): _number(value) for key, value in dict(data.get("scores") or {}).items()},
        )


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """A board under one filter; `subset` and `operation` are empty for the mean over subsets and for all operations."""

    benchmark: str
    subset: str
    operation: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def read(cls, data: Json) -> Self:
        """From GET /benchmarks/{id}/leaderboard."""
        columns = tuple(str(item["id"] if isinstance(item, Mapping) else item) for item in _items(data, "columns"))
        return cls(
            benchmark=_text(data, "benchmark"),
            subset=_text(data, "subset"),
            operation=_text(data, "operation"),
            columns=columns,
            rows=tuple(Row.read(item) for item in _items(data, "rows")),
        )


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One thing wrong with an archive: `file` is empty when it concerns the whole; `remedy` says what to do."""

    code: str
    severity: str
    file: str
    message: str
    remedy: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of a submission's or a verdict's `defects`."""
        return cls(
            code=_text(data, "code"),
            severity=_text(data, "severity") or "error",
            file=_text(data, "file"),
            message=_text(data, "message"),
            remedy=_text(data, "remedy"),
        )


@dataclass(frozen=True, kw_only=True)
class Event:
    """A move of a submission's state, at an ISO 8601 time."""

    at: str
    state: str
    detail: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of a submission's `events`."""
        return cls(at=_text(data, "at"), state=_text(data, "state"), detail=_text(data, "detail"))


@dataclass(frozen=True, kw_only=True)
class Run:
    """One subset's scoring attempt; `done` of `total` samples in `stage`."""

    subset: str
    state: str
    attempt: int
    stage: str
    done: int
    total: int
    error: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of a submission's `runs`."""
        error = data.get("error")
        return cls(
            subset=_text(data, "subset"),
            state=_text(data, "state"),
            attempt=int(data.get("attempt") or 0),
            stage=_text(data, "stage"),
            done=int(data.get("done") or 0),
            total=int(data.get("total") or 0),
            error=_text(error, "title") if isinstance(error, Mapping) else _text(data, "error"),
        )


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why the service could not finish; never the participant's fault."""

    code: str
    title: str
    remedy: str


Results = Mapping[str, Mapping[str, Mapping[str, float | None]]]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A submission as its team sees it. `results` is {subset: {"all" or operation: {dimension, n, missing}}}.

    `beside` is the same under further protocols, by their names. `can_retry`: the caller is a maintainer and it failed.
    """

    id: str
    benchmark: str
    model: str
    organization: str
    team: str
    description: str
    url: str
    state: str
    state_title: str
    created_at: str
    events: tuple[Event, ...]
    defects: tuple[Defect, ...]
    runs: tuple[Run, ...]
    results: Results | None
    beside: Mapping[str, Results]
    failure: Failure | None
    can_retry: bool = False
    benchmark_version: str = ""
    archive_sha256: str = ""
    embargo_until: str = ""
    moderation_reason: str = ""

    @classmethod
    def read(cls, data: Json) -> Self:
        """From any answer that is a submission."""
        failure = data.get("failure")
        results = data.get("results")
        return cls(
            id=str(data["id"]),
            benchmark=_text(data, "benchmark"),
            model=_text(data, "model"),
            organization=_text(data, "organization"),
            team=_text(data, "team"),
            description=_text(data, "description"),
            url=_text(data, "url"),
            state=str(data["state"]),
            state_title=_text(data, "state_title") or str(data["state"]).capitalize(),
            created_at=_text(data, "created_at"),
            events=tuple(Event.read(item) for item in _items(data, "events")),
            defects=tuple(Defect.read(item) for item in _items(data, "defects")),
            runs=tuple(Run.read(item) for item in _items(data, "runs")),
            results=_results(results) if results else None,
            beside={str(name): _results(found) for name, found in (data.get("beside") or {}).items()},
            failure=_failure(failure) if isinstance(failure, Mapping) else None,
            can_retry="retry" in (data.get("links") or {}),
            benchmark_version=_text(data, "benchmark_version"),
            archive_sha256=_text(data, "archive_sha256"),
            embargo_until=_text(data, "embargo_until"),
            moderation_reason=_text(data, "moderation_reason"),
        )


def _failure(data: Json) -> Failure:
    return Failure(code=_text(data, "code"), title=_text(data, "title"), remedy=_text(data, "remedy"))


def _results(data: Json) -> Results:
    return {
        str(subset): {
            str(operation): {str(key): _number(value) for key, value in dict(scores).items()}
            for operation, scores in dict(operations).items()
        }
        for subset, operations in data.items()
    }


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
        return cls(benchmark=_text(data, "benchmark"), resets_at=_text(data, "resets_at"), **parts)


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
        return cls(id=str(data["id"]), extra=int(data["extra"]), **{name: _text(data, name) for name in words})


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
            stage=_text(data, "stage"),
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
        return cls(id=str(data["id"]), **{name: _text(data, name) for name in words})


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
        return cls(id=str(data["id"]), attempts=int(data["attempts"]), **{name: _text(data, name) for name in words})


@dataclass(frozen=True, kw_only=True)
class Login:
    """A fresh token and whom it speaks for (`team` is empty for a maintainer)."""

    token: str
    team: str


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A curated entry, typed in by a maintainer from a named source."""

    id: str
    benchmark: str
    model: str
    organization: str
    access: str
    size: str
    access_date: str
    source_url: str
    source_note: str
    retired_reason: str
    retired: bool
    scores: Mapping[str, Mapping[str, float | None]]

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of GET /baselines."""
        return cls(
            id=str(data["id"]),
            benchmark=_text(data, "benchmark"),
            model=_text(data, "model") or _text(data, "name"),
            organization=_text(data, "organization") or _text(data, "vendor"),
            access=_text(data, "access"),
            size=_text(data, "size"),
            access_date=_text(data, "access_date"),
            source_url=_text(data, "source_url"),
            source_note=_text(data, "source_note"),
            retired_reason=_text(data, "retired_reason"),
            retired=bool(data.get("retired") or data.get("retired_at")),
            scores={
                str(subset): {str(key): _number(value) for key, value in dict(values).items()}
                for subset, values in dict(data.get("scores") or {}).items()
            },
        )


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One act of a maintainer: when, who, what, on what."""

    at: str
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of GET /audit."""
        detail = data.get("detail")
        return cls(
            at=_text(data, "at"),
            actor=_text(data, "actor"),
            action=_text(data, "action"),
            subject=_text(data, "subject"),
            detail=detail if isinstance(detail, Mapping) else {"note": detail} if detail else {},
        )


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A submission that failed on the service's side; `error`, `message`: of the last attempt, empty for a check."""

    submission: str
    benchmark: str
    team: str
    model: str
    failed_at: str
    title: str
    subset: str
    attempts: int
    error: str
    message: str
    can_be_retried: bool

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of GET /runs/dead."""
        last = dict(data.get("last_attempt") or {})
        return cls(
            submission=str(data["submission"]),
            benchmark=_text(data, "benchmark"),
            team=_text(data, "team"),
            model=_text(data, "model"),
            failed_at=_text(data, "failed_at"),
            title=_text(data, "title"),
            subset=_text(last, "subset"),
            attempts=int(last.get("attempt") or data.get("gate_attempts") or 0),
            error=_text(last, "error"),
            message=_text(last, "message"),
            can_be_retried=bool(data.get("can_be_retried")),
        )


@dataclass(frozen=True, kw_only=True)
class ReportListing:
    """That the run which scored a subset has a report."""

    run: str
    subset: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From one member of GET /submissions/ID/reports."""
        return cls(run=str(data["run"]), subset=str(data["subset"]))
