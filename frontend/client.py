"""A typed client of the REST API: one method for each thing the service offers, errors already translated."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from frontend.errors import ClientError, Unreachable, from_problem
from frontend.resources import AuditEntry, Baseline, Benchmark, Leaderboard, Login, Submission
from frontend.tokens import checked_token

_CHUNK_BYTES = 256 * 1024
_LONGEST_PAGE = 200
_PAUSES = (0.2, 0.6, 1.5)  # seconds between tries when no connection could be made
_RETRIED = (httpx.ConnectError, httpx.ConnectTimeout)
_RETRIED_READ = (*_RETRIED, httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout)

T = TypeVar("T")
Progress = Callable[[int, int], None]


class Client:
    """Speaks to one service as one identity.

    `url` is the service's address without /api/v1; `token` is a team's or a maintainer's. The making
    (of a malformed token) and every method raise ClientError (Unreachable when no answer came). `transport` and `sleep`
    are for tests.
    """

    def __init__(
        self,
        *,
        url: str,
        token: str = "",
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {checked_token(token)}"} if token else {}
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers={"Accept": "application/json", **headers},
            timeout=httpx.Timeout(timeout, connect=5.0),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    # Reading: anybody

    def benchmarks(self) -> tuple[Benchmark, ...]:
        """All benchmarks, in the service's order."""
        return _read_all(Benchmark.read, self._json("GET", "/benchmarks"), key="benchmarks")

    def benchmark(self, benchmark: str) -> Benchmark:
        """One benchmark by id."""
        return _read(Benchmark.read, self._json("GET", f"/benchmarks/{benchmark}"))

    def manifest(self, benchmark: str) -> Mapping[str, Any]:
        """The public benchmark.json as it was published."""
        body = self._json("GET", f"/benchmarks/{benchmark}/manifest")
        if not isinstance(body, Mapping):
            raise _unexpected()
        return body

    def leaderboard(self, benchmark: str, *, subset: str = "", operation: str = "") -> Leaderboard:
        """A board; empty `subset` is the mean over the benchmark's subsets, empty `operation` is all operations."""
        query = {key: value for key, value in (("subset", subset), ("operation", operation)) if value}
        return _read(Leaderboard.read, self._json("GET", f"/benchmarks/{benchmark}/leaderboard", params=query))

    # A team's own submissions

    def login(self, *, team: str = "", maintainer: bool = False) -> Login:
        """The development login; a service without it answers with an error."""
        wish: dict[str, Any] = {"maintainer": True} if maintainer else {"team": team}
        body = self._json("POST", "/development/login", json=wish)
        named = body.get("team")
        return Login(token=str(body["token"]), team=str(named.get("name", "")) if isinstance(named, dict) else team)

    def create(
        self,
        *,
        benchmark: str,
        model: str,
        organization: str = "",
        description: str = "",
        url: str = "",
        idempotency_key: str = "",
    ) -> Submission:
        """Announce a submission; its archive follows by `upload`."""
        members = {"organization": organization, "description": description, "url": url}
        body = {"benchmark": benchmark, "model": model, **{key: value for key, value in members.items() if value}}
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return _read(Submission.read, self._json("POST", "/submissions", json=body, headers=headers, again=True))

    def upload(self, submission: str, archive: Path, *, progress: Progress | None = None) -> Submission:
        """Stream a zip from disk; `progress(sent, total)` counts bytes. Never holds more than a chunk in memory."""
        total = archive.stat().st_size
        answer = self._send(
            "PUT",
            f"/submissions/{submission}/archive",
            content=lambda: _chunks(archive, total=total, progress=progress),
            headers={"Content-Type": "application/zip", "Content-Length": str(total)},
            timeout=httpx.Timeout(300.0, connect=5.0),
        )
        return _read(Submission.read, _body(answer))

    def submission(self, submission: str) -> Submission:
        """One submission with events, defects, runs and (once scored) results."""
        return _read(Submission.read, self._json("GET", f"/submissions/{submission}"))

    def submissions(self) -> tuple[Submission, ...]:
        """The team's own submissions, newest first; the latest 200."""
        return _read_all(
            Submission.read, self._json("GET", "/submissions", params={"limit": _LONGEST_PAGE}), key="submissions"
        )

    def act(self, submission: str, *, verb: str) -> Submission:
        """publish, unpublish, withdraw, or (maintainers) retry."""
        return _read(Submission.read, self._json("POST", f"/submissions/{submission}/{verb}", again=True))

    # Maintainers

    def baselines(self) -> tuple[Baseline, ...]:
        """Curated entries, at most 200; a maintainer sees the retired ones too."""
        return _read_all(
            Baseline.read, self._json("GET", "/baselines", params={"limit": _LONGEST_PAGE}), key="baselines"
        )

    def add_baseline(self, entry: Mapping[str, Any]) -> Baseline:
        """Add a curated entry; `entry` is the request body."""
        return _read(Baseline.read, self._json("POST", "/baselines", json=dict(entry)))

    def edit_baseline(self, baseline: str, changes: Mapping[str, Any]) -> Baseline:
        """Change the named members of a curated entry."""
        return _read(Baseline.read, self._json("PATCH", f"/baselines/{baseline}", json=dict(changes)))

    def retire_baseline(self, baseline: str, *, reason: str) -> Baseline:
        """Take a curated entry off the board; it stays in the records with the reason."""
        return _read(Baseline.read, self._json("POST", f"/baselines/{baseline}/retire", json={"reason": reason}))

    def audit(self, *, limit: int = 50) -> tuple[AuditEntry, ...]:
        """The latest acts of maintainers, newest first."""
        return _read_all(AuditEntry.read, self._json("GET", "/audit", params={"limit": limit}), key="audit")

    # Sending

    def _json(self, method: str, path: str, *, again: bool | None = None, **options: Any) -> Any:
        return _body(self._send(method, path, again=again, **options))

    def _send(
        self,
        method: str,
        path: str,
        *,
        again: bool | None = None,
        content: Callable[[], Iterator[bytes]] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send, trying again while no connection can be made; reads also when the answer broke off."""
        retried = _RETRIED_READ if (method == "GET" if again is None else again) else _RETRIED
        for pause in (*_PAUSES, None):
            try:
                answer = self._http.request(method, path, content=content() if content else None, **options)
            except retried as error:
                if pause is None:
                    raise Unreachable(url=self.url, reason=str(error) or type(error).__name__) from error
                self._sleep(pause)
            except httpx.HTTPError as error:
                raise Unreachable(url=self.url, reason=str(error) or type(error).__name__) from error
            except httpx.InvalidURL as error:
                raise Unreachable(url=self.url, reason="this is not an address") from error
            else:
                if answer.is_error:
                    raise from_problem(status=answer.status_code, body=_problem(answer))
                return answer
        raise AssertionError("unreachable")


def _chunks(archive: Path, *, total: int, progress: Progress | None) -> Iterator[bytes]:
    sent = 0
    with archive.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
            sent += len(chunk)
            if progress:
                progress(sent, total)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, Mapping) else {}


def _body(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise _unexpected() from error


def _read(reader: Callable[[Any], T], body: Any) -> T:
    """Read one resource; an answer of another shape is an error with a remedy, not a KeyError."""
    try:
        return reader(body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _unexpected() from error


def _read_all(reader: Callable[[Any], T], body: Any, *, key: str) -> tuple[T, ...]:
    return tuple(_read(reader, item) for item in _listing(body, key=key))


def _listing(body: Any, *, key: str) -> list[Any]:
    """The members of a page, whether it is a bare list or wrapped with paging."""
    if isinstance(body, list):
        return body
    if isinstance(body, Mapping):
        for name in (key, "items", "entries"):
            if isinstance(body.get(name), list):
                return list(body[name])
    raise _unexpected()


def _unexpected() -> ClientError:
    return ClientError(
        code="unexpected_answer",
        title="The answer is not what this program understands",
        remedy="Check that the address is a GSI-Bench service and that this program is as new as the service.",
    )
