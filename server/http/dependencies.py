"""What routes ask for: the services, one transaction for each request, who is calling."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from psycopg import Connection
from psycopg_pool import ConnectionPool

from server.db.pool import transaction
from server.http import cookies
from server.http.turns import Shares, Turns
from server.jobs import JobQueue
from server.settings import Settings
from server.storage.port import Storage

_LOG = logging.getLogger("gsi.http")


@dataclass(frozen=True, kw_only=True)
class Services:
    """The adapters that one application was composed of, and turns: at the pool, at sending an archive, at
    asking a sign-in provider.

    ``identify`` names whom a token or a session speaks for in the table of Idempotency-Keys; None for nobody.
    """

    settings: Settings
    pool: ConnectionPool
    storage: Storage
    queue: JobQueue
    turns: Turns
    uploads: Turns
    uploads_of_submissions: Shares
    uploads_of_teams: Shares
    sign_ins: Turns
    identify: Callable[[Connection, Settings, str | None], str | None]


@dataclass(frozen=True)
class Unit:
    """One unit of work: a transaction, and what is to be done once it has been committed."""

    conn: Connection
    after_commit: list[Callable[[], None]] = field(default_factory=list)


async def services(request: Request) -> Services:
    """The application's services."""
    return cast("Services", request.app.state.services)


ServicesOf = Annotated[Services, Depends(services)]


async def _turn(found: ServicesOf) -> AsyncIterator[None]:
    async with found.turns.one():
        yield


def _unit(found: ServicesOf, _: Annotated[None, Depends(_turn, scope="function")]) -> Iterator[Unit]:
    with transaction(found.pool) as conn:
        unit = Unit(conn)
        yield unit
    for act in unit.after_commit:
        try:
            act()
        except Exception:  # noqa: BLE001 - what was committed stands; the sweep repairs what this would have hastened
            _LOG.exception("an act after the commit failed")


# scope="function": the commit happens before the answer is sent, so a failing commit is never answered with success.
UnitOf = Annotated[Unit, Depends(_unit, scope="function")]


_bearer = HTTPBearer(auto_error=False, description="A token from `gsi login` or the website's account page.")

BearerOf = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def credential(request: Request, found: ServicesOf, sent: BearerOf) -> str | None:
    """The token that was sent, else the secret of the website's session, if there is one.

    Raises CrossSiteError when it is the session's and the request comes from another site.
    """
    if sent:
        return sent.credentials
    public_url = found.settings.public_url
    session = request.cookies.get(cookies.named(cookies.SESSION, public_url=public_url))
    if not session:
        return None
    cookies.check_same_origin(request, public_url=public_url)
    return session


TokenOf = Annotated[str | None, Depends(credential)]
