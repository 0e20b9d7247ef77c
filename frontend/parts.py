"""One part of an archive on its way: signed for each attempt, sent from disk, tried again until it has arrived."""

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from frontend.answers import problem
from frontend.client import Client
from frontend.errors import ClientError, from_problem
from frontend.uploads import Upload

_CHUNK_BYTES = 256 * 1024
_ATTEMPTS = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_PASSING = (0, 408, 429, 500, 502, 503, 504)
_PASSING_CODES = ("incomplete-upload", "checksum-mismatch", "url-expired", "upload-busy")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a file: where it lies in it, and its sha256 in lower-case hex."""

    number: int
    offset: int
    size: int
    sha256: str


class Stopped(Exception):  # noqa: N818 - named for what happened
    """Somebody else failed or stopped; nothing is wrong with this part."""


class Courier:
    """Brings parts of one file to where the service says; use it from several threads.

    `moved(bytes)` counts what goes out; what was sent in vain is taken back with a negative number.
    """

    def __init__(
        self,
        client: Client,
        upload: Upload,
        archive: Path,
        *,
        moved: Callable[[int], None],
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._client = client
        self._upload = upload
        self._archive = archive
        self._moved = moved
        self._stop = threading.Event()
        self._sleep = sleep or self._stop.wait
        # No token goes along: a signed URL is its own permission, and may lead to another house.
        self._http = httpx.Client(timeout=httpx.Timeout(120.0, connect=10.0))

    def close(self) -> None:
        """End what is under way, and give the connections back."""
        self._stop.set()
        self._http.close()

    def bring(self, piece: Piece) -> None:
        """Send a part until it has arrived; raises ClientError when that is not to be, Stopped when it was stopped."""
        for attempt in range(_ATTEMPTS):
            try:
                return self._send(piece)
            except ClientError as error:
                lasting = error.status not in _PASSING and error.code not in _PASSING_CODES
                if lasting or attempt == _ATTEMPTS - 1:
                    raise
                self._sleep(_pause(attempt, error))
            if self._stop.is_set():
                raise Stopped
        raise AssertionError("unreachable")

    def _send(self, piece: Piece) -> None:
        signed = self._client.sign_part(self._upload, number=piece.number, size=piece.size, sha256=piece.sha256)
        sent = 0

        def counted() -> Iterator[bytes]:
            nonlocal sent
            for chunk in self._read(piece):
                yield chunk
                sent += len(chunk)
                self._moved(len(chunk))

        headers = {**signed.headers, "Content-Length": str(piece.size)}
        try:
            answer = self._http.put(self._client.address(signed.url), content=counted(), headers=headers)
        except httpx.HTTPError as error:
            self._moved(-sent)
            if self._stop.is_set():
                raise Stopped from error
            raise ClientError(
                code="unreachable",
                title="The archive's place cannot be reached",
                detail=str(error) or type(error).__name__,
                remedy="Run the same command again: it goes on where it was stopped.",
            ) from error
        if answer.is_error:
            self._moved(-sent)
            raise _refused(answer)

    def _read(self, piece: Piece) -> Iterator[bytes]:
        left = piece.size
        with self._archive.open("rb") as stream:
            stream.seek(piece.offset)
            while left and (chunk := stream.read(min(_CHUNK_BYTES, left))):
                if self._stop.is_set():
                    raise Stopped
                yield chunk
                left -= len(chunk)


def _refused(answer: httpx.Response) -> ClientError:
    """Our own problem document, or a storage's refusal in words of ours; a storage's 403 is an expired URL."""
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        error = from_problem(status=answer.status_code, body=problem(answer))
    else:
        code = {400: "checksum-mismatch", 403: "url-expired"}.get(answer.status_code, "storage-refused")
        error = ClientError(
            code=code,
            title="The storage refused a part of the archive",
            detail=f"It answered {answer.status_code}.",
            remedy="Run the same command again: it goes on where it was stopped.",
            status=answer.status_code,
        )
    error.retry_after = retry_after(answer)
    return error


def retry_after(answer: httpx.Response) -> float:
    """How many seconds the answer asks to wait; 0 where it does not say."""
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isdigit() else 0.0


def _pause(attempt: int, error: ClientError) -> float:
    """Longer each time, never the same for two who failed together, at least what the service asks for."""
    backoff = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
    return max(backoff, min(error.retry_after, 2 * _LONGEST_PAUSE))
