"""Teams, tokens and users as the API tells of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from server.names import tidy
from server.teams.model import Role, Scope, TeamRole

TeamName = Annotated[str, StringConstraints(min_length=2, max_length=60, pattern=r"^[^<>]+$"), BeforeValidator(tidy)]
TokenName = Annotated[str, StringConstraints(min_length=1, max_length=60), BeforeValidator(tidy)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class LoginIn(_In):
    """Either a team's name or maintainer."""

    team: TeamName | None = None
    maintainer: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.team is None) == (not self.maintainer):
            raise ValueError("name a team, or say maintainer: true")
        return self


class TeamOut(_Out):
    """A team."""

    id: UUID
    name: str


class LoginOut(BaseModel):
    """A fresh token; it is shown this once."""

    token: str = Field(description="Send it as `Authorization: Bearer <token>`.")
    team: TeamOut | None


class TeamIn(_In):
    """A team's name."""

    name: TeamName


class MembershipOut(TeamOut):
    """A team, and what the caller is in it."""

    role: TeamRole


class MeOut(BaseModel):
    """Who the caller is, for whom they act now, and for whom they could."""

    id: UUID
    name: str
    email: str | None
    role: Role = Field(description="`team`, `maintainer`, or `user` for one who acts for nobody.")
    team: MembershipOut | None
    scopes: list[Scope]
    expires_at: datetime
    may_maintain: bool
    teams: list[MembershipOut]


class ActingIn(_In):
    """Whom the session shall act for: a team, or as maintainer; neither is nobody."""

    team: UUID | None = None
    maintainer: bool = False

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.team is not None and self.maintainer:
            raise ValueError("a maintainer acts for no team; name one of the two")
        return self


class MemberOut(_Out):
    """A member of a team."""

    user_id: UUID
    name: str
    role: TeamRole
    joined_at: datetime


class MembersOut(BaseModel):
    """The members of a team, who joined first first."""

    members: list[MemberOut]
    next_cursor: str | None


class RoleIn(_In):
    """What a member shall be."""

    role: TeamRole


class InviteIn(_In):
    """What the invited shall be."""

    role: TeamRole = "member"


class InvitationOut(_Out):
    """An invitation; while none of `revoked_at` and `accepted_at` is set and `expires_at` is to come, it is open."""

    id: UUID
    role: TeamRole
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    accepted_at: datetime | None
    accepted_by: str | None


class InvitedOut(InvitationOut):
    """A fresh invitation; code and link are shown this once. Good for one person."""

    code: str
    link: str


class InvitationsOut(BaseModel):
    """The invitations of a team, newest first."""

    invitations: list[InvitationOut]
    next_cursor: str | None


class CodeIn(_In):
    """An invitation's code."""

    code: str = Field(min_length=8, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")


class OfferOut(_Out):
    """What an invitation offers."""

    team_id: UUID
    team_name: str
    role: TeamRole
    invited_by: str
    expires_at: datetime


class TokenIn(_In):
    """A token to be made: for the team (else the one the caller acts for), or for a maintainer."""

    name: TokenName
    scopes: set[Scope] = Field(min_length=1)
    team: UUID | None = None
    maintainer: bool = False
    days: int | None = Field(default=None, ge=1, le=3650, description="How long it lasts; else as long as it may.")


class TokenOut(_Out):
    """A token; `used_at` is exact to the hour."""

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


class MadeTokenOut(TokenOut):
    """A fresh token; the secret is shown this once."""

    token: str = Field(description="Send it as `Authorization: Bearer <token>`.")


class TokensOut(BaseModel):
    """The caller's tokens, newest first."""

    tokens: list[TokenOut]
    next_cursor: str | None


class UserOut(_Out):
    """A user, for maintainers; `maintainer` is what was granted, settings may name more."""

    id: UUID
    name: str
    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    maintainer: bool
    created_at: datetime


class UsersOut(BaseModel):
    """All users, newest first."""

    users: list[UserOut]
    next_cursor: str | None
