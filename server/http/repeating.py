"""Idempotency-Key: who repeats a request gets the first one's answer, and nothing is done twice.

The answer is written in the transaction of the act itself: both are committed or neither is. Who is at work with a key
holds an advisory lock of that transaction, so a crash leaves no key behind that is in use for ever. Refusals are not
kept: they changed nothing, and the request may be repeated once it is mended. Nor is the body of an answer that says
`cache-control: no-store`: it holds a secret that is shown once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from psycopg import Connection
from psycopg.types.json import Jsonb
from starlette.concurrency import run_in_threadpool

from server.db.queries import Queries
from server.errors import GsiError
from server.http.dependencies import BearerOf, ServicesOf, UnitOf, credential

REPLAYED = "idempotent-replayed"
_QUERIES = Queries("idempotency")
_KEPT_HEADERS = ("cache-control", "content-type", "etag", "location")
_AGAIN_SECONDS = 2
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class KeyReusedError(GsiError):
    """The key stands for another request."""

    status, code, title = 422, "idempotency-key-reused", "This Idempotency-Key was used for another request"
    remedy = "Use a new key for a new request."


class InProgressError(GsiError):
    """The first request with this key is still at work."""

    status, code, title = 409, "idempotency-in-progress", "A request with this Idempotency-Key is at work"
    remedy = "Repeat it in a moment: you will get the answer of the first one."


class AnswerNotKeptError(GsiError):
    """The request was carried out; what it answered is not told twice."""

    status, code, title = 409, "answer-shown-once", "The request was carried out and its answer is shown only once"
    remedy = "If the answer was lost, look at what there is now, revoke what you cannot use, and ask with a new key."


@dataclass(frozen=True)
class Claim:
    """A key in use, for the request that may act under it."""

    conn: Connection
    caller: str
    key: str
    request_hash: bytes
    lifetime: timedelta


@dataclass(frozen=True)
class _Earlier:
    request_hash: bytes
    status: int
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True)
class _Claimed:
    claimed: bool


class _ReplayError(Exception):
    def __init__(self, answer: Response) -> None:
        super().__init__("an earlier answer is given again")
        self.answer = answer


async def _request_hash(request: Request) -> bytes:
    """Of method, address and body."""
    target = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(target.encode() + await request.body()).digest()


async def _token(request: Request, services: ServicesOf, sent: BearerOf) -> str | None:
    """Whose the key is; a request without one is not asked who sends it, for routes that take anybody."""
    return await credential(request, services, sent) if "idempotency-key" in request.headers else None


def claim(
    request: Request,
    unit: UnitOf,
    services: ServicesOf,
    token: Annotated[str | None, Depends(_token)],
    request_hash: Annotated[bytes, Depends(_request_hash)],
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="A text of your own, best a UUID: a request repeated with the same one is carried out once.",
        ),
    ] = None,
) -> None:
    """Take the key for this request, or answer with what it was answered before.

    Raises InProgressError, KeyReusedError, AnswerNotKeptError.
    """
    if idempotency_key is None:
        return
    # Who is nobody in particular shares a key only with who sends the very same request.
    caller = services.identify(unit.conn, services.settings, token) or f"anonymous:{request_hash.hex()}"
    lifetime = timedelta(seconds=services.settings.idempotency_lifetime_seconds)
    taken = Claim(unit.conn, caller, idempotency_key, request_hash, lifetime)
    if not _QUERIES.one(unit.conn, "claim", _Claimed, caller=caller, key=idempotency_key).claimed:
        raise InProgressError(retry_after=_AGAIN_SECONDS)
    earlier = _QUERIES.maybe(unit.conn, "earlier", _Earlier, caller=caller, key=idempotency_key)
    if earlier is not None:
        raise _ReplayError(_again(earlier, request_hash))
    request.state.claim = taken


def _again(earlier: _Earlier, request_hash: bytes) -> Response:
    if earlier.request_hash != request_hash:
        raise KeyReusedError
    if earlier.body is None:
        raise AnswerNotKeptError
    return Response(earlier.body, status_code=earlier.status, headers={**earlier.headers, REPLAYED: "true"})


def repeatable(handle: Handler) -> Handler:
    """``handle``, around which a claim's answer is kept or an earlier one is given again."""

    async def handled(request: Request) -> Response:
        try:
            answer = await handle(request)
        except _ReplayError as replay:
            return replay.answer
        taken: Claim | None = getattr(request.state, "claim", None)
        if taken is not None:
            await run_in_threadpool(_keep, taken, answer)
        return answer

    return handled


def _keep(taken: Claim, answer: Response) -> None:
    secret = "no-store" in answer.headers.get("cache-control", "")
    _QUERIES.run(
        taken.conn,
        "keep",
        caller=taken.caller,
        key=taken.key,
        request_hash=taken.request_hash,
        status=answer.status_code,
        headers=Jsonb(_kept(answer.headers)),
        body=None if secret else getattr(answer, "body", None),  # a stream cannot be told again
        lifetime=taken.lifetime,
    )


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _KEPT_HEADERS if name in headers}


def forget_expired(conn: Connection) -> int:
    """Forget the answers whose time is over; how many."""
    return _QUERIES.run(conn, "forget_expired")
