"""One public file over HTTP: streamed, bounded, resumed where an earlier try stopped, put in place whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from scorer.errors import ScorerError, UnreachableError

SECONDS = 30.0
"""Longest silence of a server."""

Progress = Callable[[str, int, int | None], None]
"""Told the address, the bytes that are there and the bytes in all (None: not known)."""


class Source(NamedTuple):
    """A public file; ``sha256``: None where nobody has stated it; more than ``most_bytes`` are not fetched."""

    url: str
    sha256: str | None
    licence: str
    most_bytes: int

    @property
    def file(self) -> str:
        """The name under which it is kept while it is needed."""
        return self.url.rsplit("/", 1)[-1]


def download(source: Source, *, to: Path, progress: Progress = lambda url, done, total: None) -> None:
    """Fetch a file. An interrupted download stays beside ``to`` as ``.partial`` and is continued by the next call.

    Raises UnreachableError, which says how to go on without a network, and ScorerError for a file that is too large.
    """
    import httpx  # only fetching needs it

    partial = to.with_name(to.name + ".partial")
    there = partial.stat().st_size if partial.exists() else 0
    headers = {"accept-encoding": "identity"} | ({"range": f"bytes={there}-"} if there else {})
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=SECONDS) as client,
            client.stream("GET", source.url, headers=headers) as answer,
        ):
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                there = 0
                partial.unlink(missing_ok=True)
            answer.raise_for_status()
            if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                there = 0
            length = answer.headers.get("content-length", "")
            total = there + int(length) if length.isdecimal() else None
            with partial.open("ab" if there else "wb") as stream:
                for chunk in answer.iter_bytes():
                    there += len(chunk)
                    _require_size(there, source, partial)
                    stream.write(chunk)
                    progress(source.url, there, total)
    except httpx.HTTPError as error:
        raise UnreachableError(
            f"{source.url} cannot be fetched ({_reason(error)}). Try again later; or, without a network, "
            f"get that file elsewhere, put it at {to} and run the same command again"
        ) from error
    os.replace(partial, to)


def _require_size(there: int, source: Source, partial: Path) -> None:
    if there > source.most_bytes:
        partial.unlink()
        raise ScorerError(f"{source.url} sends more than {source.most_bytes:,} bytes: not the file it should be")


def _reason(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.HTTPStatusError):
        return f"answer {error.response.status_code}"
    return type(error).__name__
