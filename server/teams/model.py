"""Users, teams, tokens, and whom a request speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from server.errors import ForbiddenError

Role = Literal["team", "maintainer", "user"]
"""For whom a request acts: a team, the service, or (a user who is in no team yet) nobody but the user."""
TeamRole = Literal["owner", "member"]
Scope = Literal["read", "submit", "admin"]

ALL_SCOPES: frozenset[Scope] = frozenset({"read", "submit", "admin"})
DEVELOPMENT = "development"
"""The issuer of those whom the development login lets in."""


@dataclass(frozen=True, kw_only=True)
class Team:
    """Who submits."""

    id: UUID
    name: str


@dataclass(frozen=True, kw_only=True)
class User:
    """Whom a provider vouches for; ``maintainer`` is what a maintainer granted, settings may name more."""

    id: UUID
    name: str
    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    maintainer: bool


@dataclass(frozen=True, kw_only=True)
class KnownUser(User):
    """A user as maintainers see them; ``created_at`` is the first sign-in."""

    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whom a valid token or session speaks for.

    ``team_id`` and ``team_name`` are None unless ``role`` is team. ``scopes`` bound what the token may be used for, and
    ``role`` what its user may do at all.
    """

    token_id: UUID
    role: Role
    team_id: UUID | None
    team_name: str | None
    user: User
    scopes: frozenset[Scope]
    expires_at: datetime
    team_role: TeamRole | None = None
    may_maintain: bool = False
    """Whether the user is a maintainer, acting as one now or not."""
    by_session: bool = False

    @property
    def is_maintainer(self) -> bool:
        """Whether everything is theirs to see."""
        return self.role == "maintainer"

    @property
    def actor(self) -> str:
        """How the audit log names them."""
        return f"team:{self.team_id}" if self.team_id else f"{self.role}:{self.user.id}"

    def must(self, scope: Scope) -> None:
        """Raise ForbiddenError unless the token is of that scope."""
        if scope not in self.scopes:
            raise ForbiddenError(
                f"The token lacks the scope {scope}.", remedy=f"Make a token with the scope {scope} and use that one."
            )


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A team as one of its members sees it."""

    id: UUID
    name: str
    role: TeamRole


@dataclass(frozen=True, kw_only=True)
class Member:
    """A user as the team sees them."""

    user_id: UUID
    name: str
    role: TeamRole
    joined_at: datetime


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invitation as the owners see it; the code is not among what is kept."""

    id: UUID
    role: TeamRole
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    accepted_at: datetime | None
    accepted_by: str | None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An invitation as the invited sees it."""

    team_id: UUID
    team_name: str
    role: TeamRole
    invited_by: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as its owner sees it; the secret is not among what is kept. ``used_at`` is exact to the hour."""

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
    team_id: UUID | None
    team_name: str | None
