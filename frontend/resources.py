"""The REST resources as frozen values. Reading is tolerant of new members and strict about the ones we need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from frontend.members import Json, items, number, text


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
        label = text(data, "label") or str(data["id"]).upper()
        return cls(
            id=str(data["id"]),
            label=label,
            title=text(data, "title") or label,
            unit=text(data, "unit"),
            better=text(data, "better") or "high",
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
            title=text(data, "title") or str(data["id"]),
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
            title=text(data, "title") or str(data["id"]),
            description=text(data, "description"),
            kind=text(data, "kind") or "published",
            protocol=text(data, "protocol"),
            version=text(data, "version"),
            protocols=tuple(str(item) for item in data.get("protocols") or [text(data, "protocol")]),
            accepts_submissions=bool(data.get("accepts_submissions")),
            missing_instruments=tuple(str(item) for item in data.get("missing_instruments") or ()),
            ranked_by=text(data, "ranked_by"),
            dimensions=tuple(Dimension.read(item) for item in items(data, "dimensions")),
            subsets=tuple(Subset.read(item) for item in items(data, "subsets")),
            operations=tuple(str(item) for item in items(data, "operations")),
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
            entry_id=text(data, "entry_id"),
            kind=text(data, "kind"),
            provenance=text(data, "provenance"),
            model=str(data["model"]),
            organization=text(data, "organization"),
            access=text(data, "access"),
            size=text(data, "size"),
            team=text(data, "team"),
            protocol=text(data, "protocol"),
            submitted_at=text(data, "submitted_at"),
            source_url=text(data, "source_url"),
            scores={str(key): number(value) for key, value in dict(data.get("scores") or {}).items()},
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
        columns = tuple(str(item["id"] if isinstance(item, Mapping) else item) for item in items(data, "columns"))
        return cls(
            benchmark=text(data, "benchmark"),
            subset=text(data, "subset"),
            operation=text(data, "operation"),
            columns=columns,
            rows=tuple(Row.read(item) for item in items(data, "rows")),
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
            code=text(data, "code"),
            severity=text(data, "severity") or "error",
            file=text(data, "file"),
            message=text(data, "message"),
            remedy=text(data, "remedy"),
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
        return cls(at=text(data, "at"), state=text(data, "state"), detail=text(data, "detail"))


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
            subset=text(data, "subset"),
            state=text(data, "state"),
            attempt=int(data.get("attempt") or 0),
            stage=text(data, "stage"),
            done=int(data.get("done") or 0),
            total=int(data.get("total") or 0),
            error=text(error, "title") if isinstance(error, Mapping) else text(data, "error"),
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
            benchmark=text(data, "benchmark"),
            model=text(data, "model"),
            organization=text(data, "organization"),
            team=text(data, "team"),
            description=text(data, "description"),
            url=text(data, "url"),
            state=str(data["state"]),
            state_title=text(data, "state_title") or str(data["state"]).capitalize(),
            created_at=text(data, "created_at"),
            events=tuple(Event.read(item) for item in items(data, "events")),
            defects=tuple(Defect.read(item) for item in items(data, "defects")),
            runs=tuple(Run.read(item) for item in items(data, "runs")),
            results=_results(results) if results else None,
            beside={str(name): _results(found) for name, found in (data.get("beside") or {}).items()},
            failure=_failure(failure) if isinstance(failure, Mapping) else None,
            can_retry="retry" in (data.get("links") or {}),
            benchmark_version=text(data, "benchmark_version"),
            archive_sha256=text(data, "archive_sha256"),
            embargo_until=text(data, "embargo_until"),
            moderation_reason=text(data, "moderation_reason"),
        )


def _failure(data: Json) -> Failure:
    return Failure(code=text(data, "code"), title=text(data, "title"), remedy=text(data, "remedy"))


def _results(data: Json) -> Results:
    return {
        str(subset): {
            str(operation): {str(key): number(value) for key, value in dict(scores).items()}
            for operation, scores in dict(operations).items()
        }
        for subset, operations in data.items()
    }


@dataclass(frozen=True, kw_only=True)
class Login:
    """A fresh token and whom it speaks for (`team` is empty for a maintainer)."""

    token: str
    team: str
