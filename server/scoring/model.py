"""Runs as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
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


Step = Literal["measure", "judge"]
"""A step that leaves something to go on from."""


@dataclass(frozen=True, kw_only=True)
class CommittedChunk:
    """Some samples of a run that are measured, or some lines of its judge's journal, kept for whoever goes on.

    ``inputs``: hash of all that they depend on. ``first``: the place of the first sample in its subset, or of
    the first line.
    """

    step: Step
    inputs: str
    first: int
    count: int
    object_key: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class DroppableChunks:
    """Where the chunks of a submission lie that nobody will need any more."""

    submission_id: UUID
    keys: list[str]


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


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A submission that we could not finish. ``run_id`` and what belongs to it: the last attempt, None for the gate's.

    ``error_message`` is for operators.
    """

    submission_id: UUID
    benchmark_id: str
    model: str
    team_name: str
    failed_at: datetime
    failure_code: str | None
    failure_title: str | None
    gate_attempts: int
    can_be_retried: bool
    run_id: UUID | None
    subset: str | None
    attempt: int | None
    error_code: str | None
    error_message: str | None
    worker: str | None
