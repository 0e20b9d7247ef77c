"""Whom a secret speaks for, and the development login."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from psycopg import Connection

from server.errors import NotFoundError, UnauthorizedError
from server.settings import Settings
from server.teams import secrets, store, tokens_store, users_store
from server.teams.model import ALL_SCOPES, DEVELOPMENT, Caller, Role, Team, User
from server.teams.tokens_store import Credential, NewToken


class Login(NamedTuple):
    """A fresh token, to be shown once, and the team it speaks for (None: maintainer)."""

    token: str
    team: Team | None


def development_login(conn: Connection, settings: Settings, *, team: str | None) -> Login:
    """Sign in as ``team``, or as maintainer when it is None, and get a token.

    Raises NotFoundError unless the settings allow it: on a public service this address does not exist.
    """
    user, found = development_user(conn, settings, team=team)
    token = secrets.fresh(secrets.TOKEN_PREFIX)
    new = NewToken(
        user_id=user.id,
        team_id=found.id if found else None,
        name="development login",
        scopes=ALL_SCOPES,
        lifetime=timedelta(days=settings.token_days),
    )
    tokens_store.add_token(conn, new, prefix=secrets.shown(token), hashed=secrets.hashed(settings, token))
    return Login(token, found)


def development_user(conn: Connection, settings: Settings, *, team: str | None) -> tuple[User, Team | None]:
    """The user that the development login has for each team, its owner; one more is the maintainer.

    Raises NotFoundError unless the settings allow it.
    """
    if not settings.development_login:
        raise NotFoundError
    if team is None:
        return users_store.signed_in(conn, issuer=DEVELOPMENT, subject="maintainer", name="Maintainer"), None
    found = store.find_or_make_team(conn, name=team)
    user = users_store.signed_in(conn, issuer=DEVELOPMENT, subject=f"team:{found.id}", name=found.name)
    store.add_member(conn, found.id, user.id, role="owner")
    return user, found


def maintains(settings: Settings, user: User) -> bool:
    """Whether a user is a maintainer: granted by one, named by the settings, or let in as one in development."""
    if user.issuer == DEVELOPMENT:
        return user.subject == "maintainer"
    named = {f"{user.issuer} {user.subject}"} | ({(user.email or "").casefold()} if user.email_verified else set())
    return user.maintainer or bool(named & settings.named_maintainers)


def caller_of(conn: Connection, settings: Settings, token: str | None) -> Caller | None:
    """Whom ``token`` (or a session's secret) speaks for; None when none was sent.

    Raises UnauthorizedError for one that is unknown, revoked or over, and for one of the development login where that
    is no longer allowed.
    """
    if token is None:
        return None
    hashed = secrets.hashed(settings, token)
    by_session = token.startswith(secrets.SESSION_PREFIX)
    found = (tokens_store.of_session if by_session else tokens_store.of_token)(conn, hashed=hashed)
    if found is None or (found.issuer == DEVELOPMENT and not settings.development_login):
        raise _unknown(by_session=by_session)
    may_maintain = maintains(settings, found.user)
    if found.as_maintainer and not may_maintain and not by_session:
        raise _unknown(by_session=False)
    if found.stale:
        tokens_store.note_use(conn, found.token_id)
    return _caller(found, may_maintain=may_maintain)


def _caller(found: Credential, *, may_maintain: bool) -> Caller:
    role: Role = "user"
    if found.as_maintainer and may_maintain:
        role = "maintainer"
    elif found.team_id is not None:
        role = "team"
    return Caller(
        token_id=found.token_id,
        role=role,
        team_id=found.team_id,
        team_name=found.team_name,
        user=found.user,
        scopes=frozenset(found.scopes),
        expires_at=found.expires_at,
        team_role=found.team_role,
        may_maintain=may_maintain,
        by_session=found.by_session,
    )


def _unknown(*, by_session: bool) -> UnauthorizedError:
    if by_session:
        return UnauthorizedError("The session is over.", remedy="Sign in again.")
    return UnauthorizedError("The token is unknown or has expired.")
