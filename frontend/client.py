"""A typed client of the REST API: one method for each thing the service offers, errors already translated."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from frontend.addresses import path_of
from frontend.answers import body_of, problem, read, read_all, unexpected
from frontend.errors import ClientError, Unreachable, from_problem
from frontend.resources import AuditEntry, Baseline, Benchmark, Leaderboard, Login, ReportListing, Submission
from frontend.tokens import checked_token

_CHUNK_BYTES = 256 * 1024
_LONGEST_PAGE = 200
_PAUSES = (0.2, 0.6, 1.5)  # seconds between tries when no connection could be made
_RETRIED = (httpx.ConnectError, httpx.ConnectTimeout)
_RETRIED_READ = (*_RETRIED, httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout)

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
        return read_all(Benchmark.read, self._json("GET", "/benchmarks"), key="benchmarks")

    def benchmark(self, benchmark: str) -> Benchmark:
        """One benchmark by id."""
        return read(Benchmark.read, self._json("GET", path_of("benchmarks", benchmark)))

    def manifest(self, benchmark: str) -> Mapping[str, Any]:
        """The public benchmark.json as it was published."""
        body = self._json("GET", path_of("benchmarks", benchmark, "manifest"))
        if not isinstance(body, Mapping):
            raise unexpected()
        return body

    def leaderboard(self, benchmark: str, *, subset: str = "", operation: str = "", protocol: str = "") -> Leaderboard:
        """A board; empty `subset` is the mean over the benchmark's subsets, empty `operation` is all operations.

        Empty `protocol` is the one that ranks.
        """
        members = (("protocol", protocol), ("subset", subset), ("operation", operation))
        query = {key: value for key, value in members if value}
        return read(Leaderboard.read, self._json("GET", path_of("benchmarks", benchmark, "leaderboard"), params=query))

    # A team's own submissions

    def login(self, *, team: str = "", maintainer: bool = False) -> Login:
        """The development login; a service without it answers with an error."""
        wish: dict[str, Any] = {"maintainer": True} if maintainer else {"team": team}
        body = self._json("POST", "/development/login", json=wish)
        named = body.get("team")
        return Login(token=str(body["token"]), team=str(named.get("name", "")) if isinstance(named, dict) else team)

    def team_of_token(self) -> str:
        """The team that the token is for; empty for a maintainer's, and for one that may not read.

        Raises ClientError (status 401) when the service does not know the token.
        """
        try:
            team = self._json("GET", "/me").get("team")
        except ClientError as error:
            if error.status != 403:
                raise
            return ""
        return str(team["name"]) if team else ""

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
        return read(Submission.read, self._json("POST", "/submissions", json=body, headers=headers, again=True))

    def upload(self, submission: str, archive: Path, *, progress: Progress | None = None) -> Submission:
        """Stream a zip from disk; `progress(sent, total)` counts bytes. Never holds more than a chunk in memory."""
        total = archive.stat().st_size
        answer = self._send(
            "PUT",
            path_of("submissions", submission, "archive"),
            content=lambda: _chunks(archive, total=total, progress=progress),
            headers={"Content-Type": "application/zip", "Content-Length": str(total)},
            timeout=httpx.Timeout(300.0, connect=5.0),
        )
        return read(Submission.read, body_of(answer))

    def submission(self, submission: str) -> Submission:
        """One submission with events, defects, runs and (once scored) results."""
        return read(Submission.read, self._json("GET", path_of("submissions", submission)))

    def submissions(self) -> tuple[Submission, ...]:
        """The team's own submissions, newest first; the latest 200."""
        return read_all(
            Submission.read, self._json("GET", "/submissions", params={"limit": _LONGEST_PAGE}), key="submissions"
        )

    def act(self, submission: str, *, verb: str) -> Submission:
        """publish, unpublish, withdraw, or (maintainers) retry."""
        return read(Submission.read, self._json("POST", path_of("submissions", submission, verb), again=True))

    # Maintainers

    def baselines(self) -> tuple[Baseline, ...]:
        """Curated entries, at most 200; a maintainer sees the retired ones too."""
        return read_all(
            Baseline.read, self._json("GET", "/baselines", params={"limit": _LONGEST_PAGE}), key="baselines"
        )

    def add_baseline(self, entry: Mapping[str, Any]) -> Baseline:
        """Add a curated entry; `entry` is the request body."""
        return read(Baseline.read, self._json("POST", "/baselines", json=dict(entry)))

    def edit_baseline(self, baseline: str, changes: Mapping[str, Any]) -> Baseline:
        """Change the named members of a curated entry."""
        return read(Baseline.read, self._json("PATCH", path_of("baselines", baseline), json=dict(changes)))

    def retire_baseline(self, baseline: str, *, reason: str) -> Baseline:
        """Take a curated entry off the board; it stays in the records with the reason."""
        return read(
            Baseline.read, self._json("POST", path_of("baselines", baseline, "retire"), json={"reason": reason})
        )

    def audit(self, *, limit: int = 50) -> tuple[AuditEntry, ...]:
        """The latest acts of maintainers, newest first."""
        return read_all(AuditEntry.read, self._json("GET", "/audit", params={"limit": limit}), key="audit")

    def reports(self, submission: str) -> tuple[ReportListing, ...]:
        """Which subsets of a submission have a report; the asking is kept in the audit log."""
        return read_all(
            ReportListing.read, self._json("GET", path_of("submissions", submission, "reports")), key="reports"
        )

    def report(self, submission: str, subset: str) -> Mapping[str, Any]:
        """The report on one subset as the scorer wrote it; the asking is kept in the audit log."""
        body = self._json("GET", path_of("submissions", submission, "reports", subset))
        if not isinstance(body, Mapping):
            raise unexpected()
        return body

    # Sending

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send a request of one's own; the answer's JSON, None where it has no body."""
        answer = self._send(method, path, **options)
        return body_of(answer) if answer.content else None

    def _json(self, method: str, path: str, *, again: bool | None = None, **options: Any) -> Any:
        return body_of(self._send(method, path, again=again, **options))

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
                    raise from_problem(status=answer.status_code, body=problem(answer))
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
