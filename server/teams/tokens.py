"""A user's tokens: made within bounds, shown once, listed, revoked; and whom a session acts for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection

from server.errors import ForbiddenError, InvalidError, NotFoundError, TooManyError
from server.settings import Settings
from server.teams import secrets, store, tokens_store
from server.teams.model import Caller, Scope, Token
from server.teams.tokens_store import NewToken

_MOST_LIVING = 50


class Made(NamedTuple):
    """A token, and its secret, to be shown once."""

    token: Token
    secret: str


def make(
    conn: Connection,
    settings: Settings,
    caller: Caller,
    *,
    name: str,
    scopes: frozenset[Scope],
    team_id: UUID | None,
    days: int | None,
) -> Made:
    """A token for a team of the caller's, or (``team_id`` None) for a maintainer.

    Without ``days`` it lasts as long as it may. One that a token makes is of no further scope and lasts no longer than
    that token: whoever finds a token gains nothing by making more. Raises InvalidError, ForbiddenError, NotFoundError,
    TooManyError.
    """
    if days is not None and days > settings.token_days:
        raise InvalidError(f"A token lasts {settings.token_days} days at most.", remedy="Ask for fewer days.")
    _must_be_within(conn, caller, scopes=scopes, team_id=team_id)
    if tokens_store.living_tokens(conn, caller.user.id) >= _MOST_LIVING:
        raise TooManyError(f"You have {_MOST_LIVING} tokens.", remedy="Revoke those you do not need.")
    secret = secrets.fresh(secrets.TOKEN_PREFIX)
    new = NewToken(
        user_id=caller.user.id,
        team_id=team_id,
        name=name,
        scopes=scopes,
        lifetime=timedelta(days=days or settings.token_days),
        not_after=None if caller.by_session else caller.expires_at,
    )
    made = tokens_store.add_token(conn, new, prefix=secrets.shown(secret), hashed=secrets.hashed(settings, secret))
    return Made(made, secret)


def listed(conn: Connection, caller: Caller, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Token]:
    """The caller's own tokens, older than the one made at ``after``; a token sees those of its own team."""
    return tokens_store.list_tokens(
        conn, caller.user.id, narrow=not caller.by_session, team_id=caller.team_id, limit=limit, after=after
    )


def revoke(conn: Connection, caller: Caller, token_id: UUID) -> None:
    """End a token of the caller's own at once. Raises NotFoundError."""
    if not tokens_store.revoke_token(
        conn, token_id, user_id=caller.user.id, narrow=not caller.by_session, team_id=caller.team_id
    ):
        raise NotFoundError("There is no such token, or it is not yours.", remedy="Look at the list of your tokens.")


def act_for(conn: Connection, caller: Caller, *, team_id: UUID | None, maintainer: bool) -> None:
    """From now on this session speaks for a team of the user's, or as maintainer, or for nobody."""
    if not caller.by_session:
        raise ForbiddenError("A token speaks for one team for good.", remedy="Make a token for the other team.")
    if maintainer and not caller.may_maintain:
        raise ForbiddenError("You are no maintainer.", remedy="A maintainer can make you one.")
    if team_id is not None and store.role_of(conn, team_id, caller.user.id) is None:
        raise NotFoundError("There is no such team, or it is not yours.")
    tokens_store.act_for(conn, caller.token_id, team_id=team_id, maintainer=maintainer)


def _must_be_within(conn: Connection, caller: Caller, *, scopes: frozenset[Scope], team_id: UUID | None) -> None:
    if not caller.by_session and team_id != caller.team_id:
        raise ForbiddenError("A token makes tokens for its own team only.", remedy="Do this on the website.")
    if not scopes <= caller.scopes:
        missing = ", ".join(sorted(scopes - caller.scopes))
        raise ForbiddenError(f"Your token lacks the scope {missing}.", remedy="Ask for no more than your token has.")
    if team_id is None and not caller.may_maintain:
        raise ForbiddenError("Name the team that the token is for.", remedy="Only a maintainer's token is for none.")
    if team_id is not None and store.role_of(conn, team_id, caller.user.id) is None:
        raise NotFoundError("There is no such team, or it is not yours.")
