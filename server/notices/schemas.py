"""Targets and deliveries as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from server.notices.model import DeliveryState, Kind
from server.submissions.schemas import WebAddress

MailAddress = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$",
    ),
]
"""An address as HTML's e-mail field takes it, with a domain of two parts at least."""


class WebhookIn(BaseModel):
    """Where to POST a notice."""

    model_config = ConfigDict(extra="forbid")

    url: WebAddress


class MailIn(BaseModel):
    """Where to mail a notice."""

    model_config = ConfigDict(extra="forbid")

    address: MailAddress


class CodeIn(BaseModel):
    """The code from the mail."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00]*$")]


class TargetOut(BaseModel):
    """Where a team is told; e-mail not before it is confirmed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    address: str
    created_at: datetime
    confirmed_at: datetime | None


class AddedOut(TargetOut):
    """A new target; ``secret`` proves a webhook's notices and is shown this once (null for e-mail)."""

    secret: str | None


class TargetsOut(BaseModel):
    """All targets of a team, oldest first."""

    targets: list[TargetOut]


class DeliveryOut(BaseModel):
    """One notice: pending, delivered, or dead (given up; it can be tried anew)."""

    model_config = ConfigDict(from_attributes=True)

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


class DeliveriesOut(BaseModel):
    """One page of deliveries, newest first."""

    deliveries: list[DeliveryOut]
    next_cursor: str | None
