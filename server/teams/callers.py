"""Dependencies that say who is calling, and refuse those who may not."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from psycopg import Connection

from server.errors import ForbiddenError, UnauthorizedError
from server.http.dependencies import ServicesOf, TokenOf, UnitOf
from server.settings import Settings
from server.teams import service
from server.teams.model import Caller


def _anyone(unit: UnitOf, services: ServicesOf, token: TokenOf) -> Caller | None:
    return service.caller_of(unit.conn, services.settings, token)


def identify(conn: Connection, settings: Settings, token: str | None) -> str | None:
    """The caller's name in the table of Idempotency-Keys; None for nobody. Raises UnauthorizedError."""
    caller = service.caller_of(conn, settings, token)
    return caller.actor if caller else None


AnyoneOf = Annotated[Caller | None, Depends(_anyone)]


async def _someone(caller: AnyoneOf) -> Caller:
    if caller is None:
        raise UnauthorizedError
    return caller


SomeoneOf = Annotated[Caller, Depends(_someone)]


async def _team(caller: SomeoneOf) -> Caller:
    if caller.team_id is None:
        raise ForbiddenError("A team's token is needed; this one is a maintainer's.")
    return caller


TeamOf = Annotated[Caller, Depends(_team)]


async def _maintainer(caller: SomeoneOf) -> Caller:
    if not caller.is_maintainer:
        raise ForbiddenError("Only maintainers may do this.")
    return caller


MaintainerOf = Annotated[Caller, Depends(_maintainer)]
