"""How often anyone may ask: counted for each address and each token, told in every answer.

Headers as in draft-ietf-httpapi-ratelimit-headers: ``RateLimit-Policy`` says the policies that hold for the address
asked, ``RateLimit`` what is left of the tightest; a refusal is 429 with ``Retry-After``. Counts are kept in the
broker's Redis, so that several processes count together; where the broker is none, each process counts for itself.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import re
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import anyio
import anyio.to_thread
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.errors import TooManyError
from server.http import cookies
from server.http.problems import problem
from server.settings import Settings

_LOG = logging.getLogger("gsi.http")
_API = "/api/v1/"
_UNCOUNTED = {"/api/v1/health", "/api/v1/ready"}
_SIGN_IN = re.compile(r"/api/v1/sign-in/.+")  # the development login has no secret that one could guess
_MAKING = re.compile(r"/api/v1/(tokens|teams/[^/]+/invitations|invitations/.+)")
_SILENCE_SECONDS = 60.0


class TooFastError(TooManyError):
    """Asked more often than anyone may."""

    code, title = "rate-limited", "Too many requests"
    remedy = "Wait as long as the header `Retry-After` says, then go on."


class Policy(NamedTuple):
    """A name, how often, and whom it counts: ``key`` is an address or a token's hash."""

    name: str
    rate: RateLimitItem
    key: str


class Left(NamedTuple):
    """What is left under one policy, and in how many seconds it is whole again."""

    policy: Policy
    fine: bool
    remaining: int
    reset: int


class RateLimits:
    """Pure ASGI middleware for the API; the website's pages and files are not counted."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._storage = _storage_of(settings)
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._threads: anyio.CapacityLimiter | None = None
        self._silent_until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http" or not scope["path"].startswith(_API) or scope["path"] in _UNCOUNTED:
            await self._app(scope, receive, send)
            return
        counted = await self._count(tuple(self._policies(scope)))
        if not counted:
            await self._app(scope, receive, send)
            return
        headers = _told(counted)
        over = [left for left in counted if not left.fine]
        if over:
            wait = max(left.reset for left in over)
            error = TooFastError(f"More than {_words(over[0].policy.rate)}.", retry_after=wait)
            answer = problem(Request(scope), error)
            answer.headers.update(headers)
            await answer(scope, receive, send)
            return

        async def send_telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_telling)

    def _policies(self, scope: Scope) -> Iterator[Policy]:
        settings, path, method = self._settings, scope["path"], scope["method"]
        address = scope["client"][0] if scope.get("client") else "unknown"
        token = _credential(scope, settings)
        ours = _is_this_machine(address) and method in {"GET", "HEAD"}  # the website reads for all its visitors
        if token or not ours:
            yield Policy("requests", parse(settings.rate_limit_requests), token or address)
        if not ours:
            yield Policy("address", parse(settings.rate_limit_address), address)
        if _SIGN_IN.fullmatch(path):
            yield Policy("sign-in", parse(settings.rate_limit_sign_in), address)
        if method == "POST" and _MAKING.fullmatch(path):
            yield Policy("making", parse(settings.rate_limit_tokens), token or address)

    async def _count(self, policies: tuple[Policy, ...]) -> list[Left]:
        """Count one request under each policy. While Redis does not answer nobody is counted, and nobody refused."""
        if time.monotonic() < self._silent_until:
            return []
        try:
            if isinstance(self._storage, MemoryStorage):
                return self._hits(policies)
            self._threads = self._threads or anyio.CapacityLimiter(8)
            return await anyio.to_thread.run_sync(self._hits, policies, limiter=self._threads)
        except StorageError:
            self._silent_until = time.monotonic() + _SILENCE_SECONDS
            _LOG.warning("the broker does not answer: requests are not counted for %d s", _SILENCE_SECONDS)
            return []

    def _hits(self, policies: Iterable[Policy]) -> list[Left]:
        return [self._hit(policy) for policy in policies]

    def _hit(self, policy: Policy) -> Left:
        fine = self._limiter.hit(policy.rate, policy.name, policy.key)
        stats = self._limiter.get_window_stats(policy.rate, policy.name, policy.key)
        return Left(policy, fine, stats.remaining, max(1, math.ceil(stats.reset_time - time.time())))


def _storage_of(settings: Settings) -> Storage:
    address = settings.broker_url.get_secret_value()
    if settings.rate_limits_shared and address.startswith(("redis://", "rediss://")):
        return RedisStorage(
            address, key_prefix="gsi-limits", wrap_exceptions=True, socket_timeout=1, socket_connect_timeout=1
        )
    return MemoryStorage()


def _credential(scope: Scope, settings: Settings) -> str:
    """What the sent token or session is counted by; empty for none. Whether it is good is not asked here."""
    headers = Headers(scope=scope)
    sent = headers.get("authorization", "")
    secret = sent[7:] if sent[:7].lower() == "bearer " else ""
    if not secret:
        kept = cookie_parser(headers.get("cookie", ""))
        secret = kept.get(cookies.named(cookies.SESSION, public_url=settings.public_url), "")
    return hashlib.sha256(secret.encode()).hexdigest()[:32] if secret else ""


def _is_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _told(counted: list[Left]) -> dict[str, str]:
    policies = ", ".join(
        f'"{left.policy.name}";q={left.policy.rate.amount};w={left.policy.rate.get_expiry()}' for left in counted
    )
    tightest = min(counted, key=lambda left: (left.fine, left.remaining / left.policy.rate.amount))
    told = f'"{tightest.policy.name}";r={tightest.remaining};t={tightest.reset}'
    return {"ratelimit-policy": policies, "ratelimit": told}


def _words(rate: RateLimitItem) -> str:
    return f"{rate.amount} in {rate.get_expiry()} seconds"
