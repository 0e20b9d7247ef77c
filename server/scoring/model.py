"""Runs as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Run:
    """One attempt at one subset; ``lease_token`` fences late results off."""

    id: UUID
    submission_id: UUID
    subset: str
    attempt: int
    protocol: str
    benchmark_version: str
    lease_token: int


@dataclass(frozen=True, kw_only=True)
class LockedSubmission:
    """What settling needs of a submission, locked against others until the transaction ends."""

    id: UUID
    benchmark_id: str
    benchmark_version: str
    protocol: str
    state: str
    archive_key: str | None
    archive_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Something that waits for a worker, and how often it was tried."""

    id: UUID
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A submission that needs a push, and since when it stands where it stands."""

    id: UUID
    state_changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewScore:
    """One number to be written: mean over ``n`` samples, ``missing`` of them counted as zero; 0..100."""

    protocol: str
    operation: str
    dimension: str
    value: float
    n: int
    missing: int
