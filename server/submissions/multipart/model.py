"""Uploads as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

UploadState = Literal["open", "completed", "aborted"]


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One upload in parts of ``part_bytes`` each; only the last part may be smaller.

    ``storage_id`` is the storage's own name of it, None until a part was signed. ``declared_*`` are hints of the team.
    """

    id: UUID
    submission_id: UUID
    state: UploadState
    archive_key: str
    storage_id: str | None
    part_bytes: int
    most_bytes: int
    declared_bytes: int | None
    declared_sha256: str | None
    created_at: datetime
    expires_at: datetime
    expired: bool

    @property
    def whole_bytes(self) -> int:
        """The most bytes that the parts may have together."""
        return self.declared_bytes or self.most_bytes

    @property
    def most_parts(self) -> int:
        """The highest number that a part may have."""
        return -(-self.whole_bytes // self.part_bytes)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a client says of the whole archive; None where it says nothing."""

    bytes: int | None = None
    sha256: str | None = None
    parts: int | None = None


@dataclass(frozen=True, kw_only=True)
class Over:
    """An upload that is over and may have left something at the storage."""

    id: UUID
    archive_key: str
    completed: bool
