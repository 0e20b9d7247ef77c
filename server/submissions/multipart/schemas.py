"""Uploads as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Bytes = Annotated[int, Field(gt=0, le=2**53)]
Number = Annotated[int, Field(ge=1, le=10_000)]


class UploadIn(BaseModel):
    """What is known of the archive beforehand: hints, with which what cannot be is refused early."""

    model_config = ConfigDict(extra="forbid")

    bytes: Bytes | None = None
    sha256: Sha256 | None = None


class PartIn(BaseModel):
    """A part that is to be sent: exactly these bytes."""

    model_config = ConfigDict(extra="forbid")

    number: Number = Field(description="From 1.")
    bytes: Bytes = Field(description="`part_bytes` of the upload; the last part may be smaller.")
    sha256: Sha256 = Field(description="Of the part, lower-case hex.")


class PartsIn(BaseModel):
    """The parts that are to be sent next."""

    model_config = ConfigDict(extra="forbid")

    parts: Annotated[list[PartIn], Field(min_length=1, max_length=100)]


class CompleteIn(BaseModel):
    """What the whole should be; each member may be left out and is compared where it is not."""

    model_config = ConfigDict(extra="forbid")

    parts: Number | None = Field(default=None, description="How many parts there are.")
    bytes: Bytes | None = None
    sha256: Sha256 | None = Field(
        default=None, description="Of the whole archive; the check reads it whole and rejects one that is another."
    )


class SignedPartOut(BaseModel):
    """Send the part with `method` to `url`, with `headers` and no token; `url` may be relative to this service."""

    number: int
    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str]
    expires_in: int = Field(description="Seconds.")


class SignedPartsOut(BaseModel):
    """Where to send the parts. Who has such a URL can send that part and do nothing else."""

    parts: list[SignedPartOut]


class PartOut(BaseModel):
    """A part that has arrived; its size as the storage counts it."""

    number: int
    bytes: int
    sha256: str


class UploadOut(BaseModel):
    """An upload: its bounds, and which parts have arrived."""

    id: UUID
    submission: UUID
    state: Literal["open", "completed", "aborted", "expired"]
    part_bytes: int
    most_parts: int
    most_bytes: int
    bytes: int | None
    sha256: str | None
    created_at: datetime
    expires_at: datetime
    parts: list[PartOut] = []
    links: dict[str, str]


class UploadsOut(BaseModel):
    """The latest uploads of a submission, newest first, without their parts."""

    uploads: list[UploadOut]
