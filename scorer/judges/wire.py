"""One chat completion over HTTP, tried again while its failure may pass."""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx

from scorer.errors import JudgeError, JudgeUnavailableError
from scorer.judges.replies import legible

LARGEST_ANSWER = 4 * 2**20
"""Bytes of one HTTP answer that are read."""
LONGEST_CONNECT = 15.0
"""Seconds."""
FIRST_WAIT = 1.0
"""Seconds before the second attempt, doubled for each further one."""
_NO_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_CLOSED_DOORS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


@dataclass(frozen=True)
class Patience:
    """How often a request is sent while it fails in a passing way, and how many seconds one wait may last."""

    attempts: int
    longest_wait: float

    def wait(self, attempt: int, *, asked_for: float | None) -> float:
        """Seconds before the attempt after ``attempt`` (from 1).

        A random half to whole of ``FIRST_WAIT`` · 2^(attempt - 1), so that many callers spread out; at least what the
        server asked for.
        """
        backoff = FIRST_WAIT * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
        return min(max(backoff, asked_for or 0.0), self.longest_wait)


class _PassingError(Exception):
    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Wire:
    """Keeps connections to one endpoint; used by many threads at once. After :meth:`stop` no further attempt begins.

    ``socket``: a unix socket through which the endpoint is reached; None for the network.
    """

    def __init__(
        self, url: str, *, api_key: str | None, timeout: float, patience: Patience, socket: str | None = None
    ) -> None:
        if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
            raise JudgeError("the judge's API key holds characters that no header can carry; check the variable")
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._secret = api_key
        self._url = f"{url}/chat/completions"
        self._timeout = timeout
        self._patience = patience
        self._stopped = threading.Event()
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=min(timeout, LONGEST_CONNECT)),
            limits=_NO_LIMITS,
            transport=httpx.HTTPTransport(uds=socket, limits=_NO_LIMITS) if socket is not None else None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._client.close()

    def stop(self) -> None:
        """End all waiting between attempts."""
        self._stopped.set()

    def completion(self, request: dict[str, Any]) -> str:
        """What the model says; an empty text where it says nothing.

        Raises JudgeUnavailableError when the attempts are used up, JudgeError for a refusal that will not pass.
        """
        for attempt in range(1, self._patience.attempts + 1):
            if self._stopped.is_set():
                break
            try:
                return self._attempt(request)
            except _PassingError as failure:
                if attempt == self._patience.attempts:
                    raise JudgeUnavailableError(
                        f"the judge's endpoint failed {attempt} times, the last time: {failure}; nothing was scored, "
                        "run again when it answers: what is finished is kept"
                    ) from failure
                self._stopped.wait(self._patience.wait(attempt, asked_for=failure.retry_after))
        raise JudgeUnavailableError("the judge was stopped before it answered")

    def _attempt(self, request: dict[str, Any]) -> str:
        try:
            with self._client.stream("POST", self._url, json=request) as response:
                return self._understood(response, self._body(response))
        except httpx.TimeoutException as error:
            raise _PassingError(f"no answer within {self._timeout:g} s") from error
        except httpx.TransportError as error:
            raise _PassingError(f"no connection or one that broke ({type(error).__name__})") from error
        except httpx.DecodingError as error:
            raise _PassingError("an answer that could not be unpacked") from error

    def _body(self, response: httpx.Response) -> bytes:
        """The whole body, however slowly it drips, within the time of one answer."""
        deadline = time.monotonic() + self._timeout
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise _PassingError(f"an answer of more than {LARGEST_ANSWER} bytes")
            if time.monotonic() > deadline:
                raise _PassingError(f"no whole answer within {self._timeout:g} s")
        return bytes(body)

    def _understood(self, response: httpx.Response, body: bytes) -> str:
        status = response.status_code
        if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise _PassingError(f"status {status}", retry_after=seconds_asked_for(response.headers.get("retry-after")))
        if status in _CLOSED_DOORS:
            raise JudgeError(
                f"the judge's endpoint refuses the API key (status {status}); check the key and its rights"
            )
        if status != HTTPStatus.OK:
            raise JudgeError(
                f"the judge's endpoint refuses the call (status {status}): {self._quoted(body)}; "
                "check address, model name and sampling"
            )
        return _text_of(body)

    def _quoted(self, body: bytes) -> str:
        text = body[:2000].decode(errors="replace")
        return legible(text.replace(self._secret, "***") if self._secret else text, limit=300) or "no further words"


def seconds_asked_for(header: str | None) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110: seconds or a date), None where it says nothing."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header.strip()[:9])
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _text_of(body: bytes) -> str:
    """The message of a chat completion; empty where the model was cut off or stayed silent."""
    try:
        choice = json.loads(body)["choices"][0]
        content, ended = choice["message"].get("content"), choice.get("finish_reason")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise _PassingError("an answer that is no chat completion") from error
    if content is not None and not isinstance(content, str):
        raise _PassingError("an answer whose message is no text")
    return "" if content is None or ended == "length" else content
