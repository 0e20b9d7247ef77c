"""Signing in and out over HTTP."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from server.accounts import service
from server.accounts.directory import Directory
from server.accounts.errors import SignInError
from server.accounts.model import Answer
from server.http import cookies
from server.http.dependencies import ServicesOf, UnitOf
from server.http.routing import ApiRouter
from server.settings import Settings
from server.teams import tokens_store
from server.teams.callers import ADMIN, UserOf
from server.teams.schemas import LoginIn

_LOG = logging.getLogger("gsi.accounts")
router = ApiRouter(tags=["accounts"])
# Without a connection while a provider is asked, and so without Idempotency-Key; beginning twice does no harm.
_plain = APIRouter(tags=["accounts"])
ProviderId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
_PROBLEM_PAGE = "/sign-in"


class ProviderOut(BaseModel):
    """Where users may sign in."""

    id: str
    title: str


class SignInOut(BaseModel):
    """All ways to sign in; ``development`` where anybody may sign in under any name."""

    providers: list[ProviderOut]
    development: bool


class BeginIn(BaseModel):
    """Where the user goes once signed in: a page of this site."""

    model_config = ConfigDict(extra="forbid")

    return_to: str = Field(
        default="/account", max_length=300, pattern=r"^/(?:[A-Za-z0-9_.?=&%-][A-Za-z0-9/_.?=&%-]*)?$"
    )


class BegunOut(BaseModel):
    """Send the browser to ``location``."""

    location: str


async def _directory(request: Request) -> Directory:
    found: Directory = request.app.state.directory
    return found


DirectoryOf = Annotated[Directory, Depends(_directory)]


async def _from_our_page(request: Request, services: ServicesOf) -> None:
    """Signing in sets a cookie: no other site may have a browser do it."""
    cookies.check_same_origin(request, public_url=services.settings.public_url)


FROM_OUR_PAGE = Depends(_from_our_page)


@router.get("/sign-in")
def ways_to_sign_in(services: ServicesOf) -> SignInOut:
    """Where users may sign in on this service."""
    settings = services.settings
    providers = [ProviderOut(id=one.id, title=one.title) for one in settings.providers]
    return SignInOut(providers=providers, development=settings.development_login)


@_plain.post("/sign-in/{provider_id}", dependencies=[FROM_OUR_PAGE])
async def begin_sign_in(
    provider_id: ProviderId,
    body: BeginIn,
    request: Request,
    response: Response,
    services: ServicesOf,
    directory: DirectoryOf,
) -> BegunOut:
    """Begin a sign-in; for pages of this site, which then send the browser to the provider."""
    settings = services.settings
    work = partial(
        service.begin,
        services.pool,
        settings,
        directory,
        service.provider_of(settings, provider_id),
        browser=_kept(request, settings),
        return_to=body.return_to,
    )
    async with services.sign_ins.one():
        begun = await anyio.to_thread.run_sync(work)
    cookies.put(
        response,
        cookies.SIGN_IN,
        begun.browser,
        public_url=settings.public_url,
        lifetime=service.SIGN_IN_LIFETIME,
    )
    response.headers["cache-control"] = "no-store"
    return BegunOut(location=begun.address)


@router.get("/sign-in/{provider_id}/callback", status_code=303, response_class=RedirectResponse)
async def end_sign_in(
    provider_id: ProviderId,
    request: Request,
    services: ServicesOf,
    directory: DirectoryOf,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str | None, Query(max_length=4000)] = None,
    error: Annotated[str | None, Query(max_length=500)] = None,
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> RedirectResponse:
    """Where the provider sends the browser back to; it leads on to the site, signed in or with a reason why not."""
    settings = services.settings
    work = partial(
        service.finish,
        services.pool,
        settings,
        directory,
        service.provider_of(settings, provider_id),
        Answer(state, code, error, iss),
        browser=_kept(request, settings),
    )
    try:
        async with services.sign_ins.one():
            secret, return_to = await anyio.to_thread.run_sync(work)
    except SignInError as failed:
        _LOG.warning("a sign-in at %s failed: %s (%s)", provider_id, failed.code, failed.detail)
        return RedirectResponse(f"{_PROBLEM_PAGE}?{urlencode({'problem': failed.code})}", 303)
    answer = RedirectResponse(return_to, 303)
    cookies.drop(answer, cookies.SIGN_IN, public_url=settings.public_url)
    _put_session(answer, secret, settings)
    return answer


@router.post("/development/sign-in", status_code=204, dependencies=[FROM_OUR_PAGE])
def development_sign_in(body: LoginIn, unit: UnitOf, services: ServicesOf, response: Response) -> None:
    """Sign in to the website by name; only on services whose settings allow development logins."""
    secret = service.development_session(unit.conn, services.settings, team=body.team)
    _put_session(response, secret, services.settings)


@router.post("/sign-out", status_code=204, dependencies=[ADMIN])
def sign_out(caller: UserOf, unit: UnitOf, services: ServicesOf, response: Response, everywhere: bool = False) -> None:
    """End this session of the website, or every session of the user."""
    if everywhere:
        tokens_store.end_sessions(unit.conn, caller.user.id)
    elif caller.by_session:
        tokens_store.end_session(unit.conn, caller.token_id)
    cookies.drop(response, cookies.SESSION, public_url=services.settings.public_url)


router.include_router(_plain)


def _put_session(response: Response, secret: str, settings: Settings) -> None:
    response.headers["cache-control"] = "no-store"
    lifetime = timedelta(days=settings.session_days)
    cookies.put(response, cookies.SESSION, secret, public_url=settings.public_url, lifetime=lifetime)


def _kept(request: Request, settings: Settings) -> str | None:
    return request.cookies.get(cookies.named(cookies.SIGN_IN, public_url=settings.public_url))
