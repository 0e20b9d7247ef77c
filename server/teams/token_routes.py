"""Tokens and maintainers over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from server.db import audit
from server.errors import NotFoundError
from server.http.dependencies import ServicesOf, Unit, UnitOf
from server.http.paging import ByTime, Moment
from server.http.routing import ApiRouter
from server.teams import tokens, users_store
from server.teams.callers import ADMIN, READ, MaintainerOf, UserOf
from server.teams.model import Caller
from server.teams.schemas import MadeTokenOut, TokenIn, TokenOut, TokensOut, UserOut, UsersOut

router = ApiRouter(tags=["teams"])


@router.get("/tokens", dependencies=[READ])
def list_tokens(caller: UserOf, unit: UnitOf, page: ByTime) -> TokensOut:
    """Your own tokens, newest first, ended ones too; a token sees those of its own team."""
    found = tokens.listed(unit.conn, caller, limit=page.one_more, after=page.after)
    shown = page.of(found, key=lambda one: Moment(one.created_at, one.id))
    return TokensOut(tokens=[TokenOut.model_validate(one) for one in shown.rows], next_cursor=shown.next_cursor)


@router.post("/tokens", status_code=201, dependencies=[ADMIN])
def make_token(body: TokenIn, caller: UserOf, unit: UnitOf, services: ServicesOf, response: Response) -> MadeTokenOut:
    """Make a token for a team of yours; it is shown this once. One made by a token reaches no further than that one."""
    made = tokens.make(
        unit.conn,
        services.settings,
        caller,
        name=body.name,
        scopes=frozenset(body.scopes),
        team_id=None if body.maintainer else body.team or caller.team_id,
        days=body.days,
    )
    response.headers["cache-control"] = "no-store"
    return MadeTokenOut(**TokenOut.model_validate(made.token).model_dump(), token=made.secret)


@router.delete("/tokens/{token_id}", status_code=204, dependencies=[ADMIN])
def revoke_token(token_id: UUID, caller: UserOf, unit: UnitOf) -> None:
    """End a token of yours at once."""
    tokens.revoke(unit.conn, caller, token_id)


@router.get("/users", dependencies=[ADMIN])
def list_users(caller: MaintainerOf, unit: UnitOf, page: ByTime) -> UsersOut:
    """All users, newest first (maintainers)."""
    found = users_store.list_users(unit.conn, limit=page.one_more, after=page.after)
    shown = page.of(found, key=lambda one: Moment(one.created_at, one.id))
    return UsersOut(users=[UserOut.model_validate(one) for one in shown.rows], next_cursor=shown.next_cursor)


@router.put("/users/{user_id}/maintainer", status_code=204, dependencies=[ADMIN])
def grant_maintainer(user_id: UUID, caller: MaintainerOf, unit: UnitOf) -> None:
    """Make a user a maintainer (maintainers; kept in the audit log)."""
    _set_maintainer(unit, caller, user_id, maintainer=True)


@router.delete("/users/{user_id}/maintainer", status_code=204, dependencies=[ADMIN])
def withdraw_maintainer(user_id: UUID, caller: MaintainerOf, unit: UnitOf) -> None:
    """Take that back (maintainers; kept in the audit log). Whom the settings name stays one."""
    _set_maintainer(unit, caller, user_id, maintainer=False)


def _set_maintainer(unit: Unit, caller: Caller, user_id: UUID, *, maintainer: bool) -> None:
    if users_store.get(unit.conn, user_id) is None:
        raise NotFoundError("There is no such user.", remedy="GET /api/v1/users lists them.")
    if users_store.set_maintainer(unit.conn, user_id, maintainer=maintainer):
        action = "maintainer.granted" if maintainer else "maintainer.withdrawn"
        audit.record(unit.conn, actor=caller.actor, action=action, subject=str(user_id))
