"""Tokens: made once, shown once, kept as a keyed hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection

from server.errors import NotFoundError, UnauthorizedError
from server.settings import Settings
from server.teams import store
from server.teams.model import Caller, Role, Team

_LIFETIME = timedelta(days=90)
_PREFIX_CHARACTERS = 12


class Login(NamedTuple):
    """A fresh token, to be shown once, and the team it speaks for (None: maintainer)."""

    token: str
    team: Team | None


def development_login(conn: Connection, settings: Settings, *, team: str | None) -> Login:
    """Sign in as ``team``, or as maintainer when it is None.

    Raises NotFoundError unless the settings allow it: on a public service this address does not exist.
    """
    if not settings.development_login:
        raise NotFoundError
    if team is None:
        return Login(_new_token(conn, settings, team_id=None, role="maintainer"), None)
    found = store.find_or_make_team(conn, name=team)
    return Login(_new_token(conn, settings, team_id=found.id, role="team"), found)


def caller_of(conn: Connection, settings: Settings, token: str | None) -> Caller | None:
    """Whom ``token`` speaks for; None when none was sent.

    Raises UnauthorizedError for a token that is unknown or has expired.
    """
    if token is None:
        return None
    caller = store.caller_of_token(conn, hashed=_hash(settings, token))
    if caller is None:
        raise UnauthorizedError("The token is unknown or has expired.")
    return caller


def _new_token(conn: Connection, settings: Settings, *, team_id: UUID | None, role: Role) -> str:
    token = f"gsi_{secrets.token_urlsafe(32)}"
    store.add_token(
        conn,
        team_id=team_id,
        role=role,
        prefix=token[:_PREFIX_CHARACTERS],
        hashed=_hash(settings, token),
        lifetime=_LIFETIME,
    )
    return token


def _hash(settings: Settings, token: str) -> bytes:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, token.encode(), hashlib.sha256).digest()
