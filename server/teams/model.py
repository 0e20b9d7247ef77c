"""Teams and callers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Role = Literal["team", "maintainer"]


@dataclass(frozen=True, kw_only=True)
class Team:
    """Who submits."""

    id: UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whom a valid token speaks for; ``team_id`` and ``team_name`` are None for a maintainer."""

    token_id: UUID
    role: Role
    team_id: UUID | None
    team_name: str | None

    @property
    def is_maintainer(self) -> bool:
        """Whether everything is theirs to see."""
        return self.role == "maintainer"

    @property
    def actor(self) -> str:
        """How the audit log names them."""
        return f"team:{self.team_id}" if self.team_id else f"maintainer:{self.token_id}"
