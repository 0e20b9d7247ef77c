"""Cookies of the website: out of reach of scripts, and of no use to another site.

The session is ``__Host-`` prefixed on https (RFC 6265bis, 4.1.3.2): no subdomain and no plain connection can set it.
SameSite is Lax because the way back from a provider begins at another site; what changes anything is guarded by
`check_same_origin`, which holds in every browser and for sibling subdomains too.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from server.errors import ForbiddenError

SESSION, SIGN_IN = "gsi_session", "gsi_sign_in"
_HARMLESS = {"GET", "HEAD", "OPTIONS"}


class CrossSiteError(ForbiddenError):
    """A browser sent this from another site's page."""

    code, title = "cross-site", "This did not come from a page of this service"
    remedy = "Use the service's own pages. Programs send `Authorization: Bearer <token>` and no cookie."


def named(name: str, *, public_url: str) -> str:
    """The cookie's whole name."""
    return f"__Host-{name}" if _is_https(public_url) else name


def put(response: Response, name: str, value: str, *, public_url: str, lifetime: timedelta) -> None:
    """Have the browser keep a secret for us alone."""
    response.set_cookie(
        named(name, public_url=public_url),
        value,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=_is_https(public_url),
        httponly=True,
        samesite="lax",
    )


def drop(response: Response, name: str, *, public_url: str) -> None:
    """Have the browser forget a secret."""
    response.delete_cookie(
        named(name, public_url=public_url), path="/", secure=_is_https(public_url), httponly=True, samesite="lax"
    )


def check_same_origin(request: HTTPConnection, *, public_url: str) -> None:
    """Raise CrossSiteError unless the request changes nothing or comes from a page of this service.

    Browsers say so themselves, in headers that no page can set (Fetch Metadata; Fetch, 3.2): ``Origin`` must be this
    service under the name it was called by or its public one. Where there is no Origin, ``Sec-Fetch-Site`` must say
    same-origin; a request that says neither is no browser's and has no business with a cookie.
    """
    if request.scope["method"] in _HARMLESS:
        return
    origin = request.headers.get("origin")
    if origin is not None:
        if origin.lower() in _ours(request.headers.get("host", ""), public_url):
            return
    elif request.headers.get("sec-fetch-site") == "same-origin":
        return
    raise CrossSiteError


def _ours(called_by: str, public_url: str) -> set[str]:
    """The origins of this service: a page read over http speaks for no service whose public address is https."""
    public = urlsplit(public_url)
    schemes = {"https"} if public.scheme == "https" else {"http", "https"}
    return {f"{public.scheme}://{public.netloc}".lower(), *(f"{scheme}://{called_by.lower()}" for scheme in schemes)}


def _is_https(address: str) -> bool:
    return urlsplit(address).scheme == "https"
