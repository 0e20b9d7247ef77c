"""A language judge behind an OpenAI-compatible endpoint (vLLM, SGLang, ``transformers serve`` and others).

Several questions are in flight at once. What passes (no connection, 408, 425, 429, 5xx, a cut or broken answer) is
tried again, ever later; if it does not pass, JudgeUnavailableError ends the run and no score is made up.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, Field, StringConstraints

from scorer.contract import Strict
from scorer.judges import rubric
from scorer.judges.cases import Case, png
from scorer.judges.journal import Entry, Journal
from scorer.judges.language import TRIES, Hearing, LanguageJudge, asked_with
from scorer.judges.wire import Patience, Wire

AHEAD = 2
"""Questions taken for each one in flight: a slow answer does not hold up the others."""


def _is_plain_address(url: str) -> str:
    try:
        urlsplit(url)  # finds the brackets that httpx overlooks
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"is no address: {error}") from error
    plain = not (parsed.userinfo or parsed.query or parsed.fragment or any(c.isspace() for c in url))
    if parsed.scheme not in ("http", "https") or not parsed.host or not plain or not 0 < (parsed.port or 80) < 65_536:
        raise ValueError("must be http(s)://host[:port]/path without a user, a password or a query")
    return url.rstrip("/")


class EndpointSettings(Strict):
    """Where the judge is and how it is asked.

    ``url``: the API's base, ending in ``/v1`` for most servers. ``model``: the name it is served under. ``revision``:
    which weights those are, as the operator knows it; the protocol cannot tell. ``concurrency``: questions in flight.
    ``timeout``: seconds for one answer. ``attempts``: how often one request is sent while it fails in a passing way.
    ``patience``: seconds that one wait between them may last. ``answers``: ``json_schema`` has the server hold the
    model to the answer's form (vLLM, SGLang), ``text`` works everywhere. ``socket``: a unix socket that leads to the
    url's host, for a process that has no network; TLS is spoken through it as it would be without.
    """

    url: Annotated[str, AfterValidator(_is_plain_address)]
    model: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    revision: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    concurrency: Annotated[int, Field(ge=1, le=256)] = 8
    timeout: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 360.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 6
    patience: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 60.0
    tries: Annotated[int, Field(ge=1, le=10)] = TRIES
    max_tokens: Annotated[int, Field(ge=16, le=65_536)] = 1024
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    answers: Literal["text", "json_schema"] = "text"
    socket: Annotated[str, StringConstraints(min_length=1, max_length=107)] | None = None


class EndpointJudge(LanguageJudge):
    """Asks a served vision-language model, greedily. ``api_key`` is sent as a bearer token and kept nowhere else."""

    def __init__(
        self, settings: EndpointSettings, *, api_key: str | None = None, journal: Journal | None = None
    ) -> None:
        super().__init__(journal=journal, tries=settings.tries)
        self._settings = settings
        self._api_key = api_key

    def provenance(self) -> dict[str, str]:
        """Adapter, prompt, model, revision and sampling, as ``judge_*``; not the address, which changes nothing."""
        asked = self._settings
        return asked_with(
            adapter="endpoint",
            model=asked.model,
            revision=asked.revision,
            sampling=f"greedy max_tokens={asked.max_tokens} seed={asked.seed} {asked.answers} tries={asked.tries}",
        )

    def answers(self, cases: Iterable[Case]) -> Iterator[Entry]:
        """One finished judgement for each case, in their order; at most ``AHEAD`` · ``concurrency`` are held.

        Raises JudgeUnavailableError where the endpoint does not answer, JudgeError where it refuses the call as such.
        What was finished until then is in the journal.
        """
        waiting = iter(cases)
        asked = self._settings
        patience = Patience(attempts=asked.attempts, longest_wait=asked.patience)
        with (
            Wire(
                asked.url, api_key=self._api_key, timeout=asked.timeout, patience=patience, socket=asked.socket
            ) as wire,
            ThreadPoolExecutor(max_workers=asked.concurrency, thread_name_prefix="judge") as pool,
        ):
            running: deque[Future[Entry]] = deque()
            try:
                for case in islice(waiting, AHEAD * asked.concurrency):
                    running.append(pool.submit(self._judged, case, wire))
                while running:
                    yield running.popleft().result()
                    for case in islice(waiting, 1):
                        running.append(pool.submit(self._judged, case, wire))
            finally:
                wire.stop()
                pool.shutdown(cancel_futures=True)

    def _judged(self, case: Case, wire: Wire) -> Entry:
        opened = self._opened(case)
        if isinstance(opened, Entry):
            return opened
        while not opened.is_over:
            opened.hear(wire.completion(self._request(opened)))
        return self._closed(opened)

    def _request(self, hearing: Hearing) -> dict[str, Any]:
        asked = self._settings
        request: dict[str, Any] = {
            "model": asked.model,
            "messages": messages(hearing),
            "temperature": 0.0,
            "max_tokens": asked.max_tokens,
            "seed": asked.seed,
        }
        if asked.answers == "json_schema":
            request["response_format"] = {"type": "json_schema", "json_schema": ANSWER_SCHEMA}
        return request


ANSWER_SCHEMA: dict[str, Any] = {
    "name": "judgement",
    "strict": True,
    "schema": {
        "type": "object",
        "properties": {
            "reasoning": {"type": "string"},
            "score": {"type": "number", "minimum": 0, "maximum": 10},
        },
        "required": ["reasoning", "score"],
        "additionalProperties": False,
    },
}
"""The answer's form for servers that can hold a model to it."""


def messages(hearing: Hearing) -> list[dict[str, Any]]:
    """The conversation in the words of the OpenAI chat API: pictures first, as PNG data."""
    case = hearing.case
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": _data_url(png(image))}} for image in (case.original, case.edited)
    ]
    content.append({"type": "text", "text": rubric.question_text(case)})
    talk: list[dict[str, Any]] = [{"role": "system", "content": rubric.SYSTEM}, {"role": "user", "content": content}]
    for reply, reminder in hearing.follow_ups:
        talk += [{"role": "assistant", "content": reply}, {"role": "user", "content": reminder}]
    return talk


def _data_url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"
