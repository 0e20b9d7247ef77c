"""Targets and deliveries as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal["webhook", "email"]
DeliveryState = Literal["pending", "delivered", "dead"]

TEST = "test"
CONFIRM = "confirm"


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a team wants to be told: an address of a webhook, or of e-mail once it is confirmed."""

    id: UUID
    team_id: UUID
    kind: Kind
    address: str
    created_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A delivery that is ours to send now; ``attempts`` counts this one and fences late endings off."""

    id: UUID
    attempts: int
    what: str
    created_at: datetime
    target_id: UUID
    kind: Kind
    address: str
    submission_id: UUID | None
    event_id: int | None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a notice tells of."""

    id: UUID
    benchmark_id: str
    benchmark_title: str
    model: str
    state: str
    at: datetime
    detail: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One notice on its way, delivered, or given up (dead)."""

    id: UUID
    target_id: UUID
    kind: Kind
    address: str
    submission_id: UUID | None
    what: str
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None
