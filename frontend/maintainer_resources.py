"""What maintainers read, as frozen values: baselines, the audit log, dead letters, reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from frontend.members import Json, number, text


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
            benchmark=text(data, "benchmark"),
            model=text(data, "model") or text(data, "name"),
            organization=text(data, "organization") or text(data, "vendor"),
            access=text(data, "access"),
            size=text(data, "size"),
            access_date=text(data, "access_date"),
            source_url=text(data, "source_url"),
            source_note=text(data, "source_note"),
            retired_reason=text(data, "retired_reason"),
            retired=bool(data.get("retired") or data.get("retired_at")),
            scores={
                str(subset): {str(key): number(value) for key, value in dict(values).items()}
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
            at=text(data, "at"),
            actor=text(data, "actor"),
            action=text(data, "action"),
            subject=text(data, "subject"),
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
            benchmark=text(data, "benchmark"),
            team=text(data, "team"),
            model=text(data, "model"),
            failed_at=text(data, "failed_at"),
            title=text(data, "title"),
            subset=text(last, "subset"),
            attempts=int(last.get("attempt") or data.get("gate_attempts") or 0),
            error=text(last, "error"),
            message=text(last, "message"),
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
