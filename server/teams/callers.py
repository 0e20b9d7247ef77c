"""Dependencies that say who is calling, and refuse those who may not.

Who the caller is and what the token may be used for are two questions: a route asks the first by the type of its
parameter (``AnyoneOf`` … ``MaintainerOf``), and the second by ``dependencies=[READ]``, ``[SUBMIT]`` or ``[ADMIN]``. A
test walks all routes and finds any that asks the first and not the second.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from psycopg import Connection

from server.errors import ForbiddenError, UnauthorizedError
from server.http.dependencies import ServicesOf, TokenOf, UnitOf
from server.settings import Settings
from server.teams import service
from server.teams.model import Caller, Scope


def _anyone(unit: UnitOf, services: ServicesOf, token: TokenOf) -> Caller | None:
    return service.caller_of(unit.conn, services.settings, token)


def identify(conn: Connection, settings: Settings, token: str | None) -> str | None:
    """The caller's name in the table of Idempotency-Keys; None for nobody. Raises UnauthorizedError.

    The same for all tokens and sessions of a user in one team: what one of them did is told to no other member.
    """
    caller = service.caller_of(conn, settings, token)
    return f"{caller.actor} user:{caller.user.id}" if caller else None


AnyoneOf = Annotated[Caller | None, Depends(_anyone)]


class Needs:
    """A token must be of that scope; sessions of the website are of every scope, and nobody has none to lack."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, caller: AnyoneOf) -> None:
        """Raise ForbiddenError for a token without the scope."""
        if caller is not None:
            caller.must(self.scope)


READ: Any = Depends(Needs("read"))
"""Reading what is the caller's to see."""
SUBMIT: Any = Depends(Needs("submit"))
"""Submitting, publishing, withdrawing."""
ADMIN: Any = Depends(Needs("admin"))
"""Managing: a team and one's tokens, or (maintainers) the service."""


async def _user(caller: AnyoneOf) -> Caller:
    if caller is None:
        raise UnauthorizedError
    return caller


UserOf = Annotated[Caller, Depends(_user)]
"""Whoever is signed in, in a team or not."""


async def _someone(caller: UserOf) -> Caller:
    if caller.role == "user":
        raise ForbiddenError("You act for no team.", remedy="Make a team, accept an invitation, or choose your team.")
    return caller


SomeoneOf = Annotated[Caller, Depends(_someone)]
"""A team or a maintainer."""


async def _team(caller: SomeoneOf) -> Caller:
    if caller.team_id is None:
        raise ForbiddenError("A team's token is needed; this one is a maintainer's.")
    return caller


TeamOf = Annotated[Caller, Depends(_team)]


async def _maintainer(caller: UserOf) -> Caller:
    if not caller.is_maintainer:
        raise ForbiddenError("Only maintainers may do this.")
    return caller


MaintainerOf = Annotated[Caller, Depends(_maintainer)]
