"""Signing in."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from server.http.dependencies import ServicesOf, UnitOf
from server.http.routing import ApiRouter
from server.names import tidy
from server.teams import service

router = ApiRouter(tags=["teams"])

TeamName = Annotated[str, StringConstraints(min_length=2, max_length=60, pattern=r"^[^<>]+$"), BeforeValidator(tidy)]


class LoginIn(BaseModel):
    """Either a team's name or maintainer."""

    model_config = ConfigDict(extra="forbid")

    team: TeamName | None = None
    maintainer: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.team is None) == (not self.maintainer):
            raise ValueError("name a team, or say maintainer: true")
        return self


class TeamOut(BaseModel):
    """A team."""

    id: UUID
    name: str


class LoginOut(BaseModel):
    """A fresh token; it is shown this once."""

    token: str = Field(description="Send it as `Authorization: Bearer <token>`.")
    team: TeamOut | None


@router.post("/development/login")
def login(body: LoginIn, unit: UnitOf, services: ServicesOf, response: Response) -> LoginOut:
    """Sign in by name; only on services whose settings allow development logins."""
    response.headers["cache-control"] = "no-store"  # the token is kept nowhere but with who asked for it
    done = service.development_login(unit.conn, services.settings, team=body.team)
    team = TeamOut(id=done.team.id, name=done.team.name) if done.team else None
    return LoginOut(token=done.token, team=team)
