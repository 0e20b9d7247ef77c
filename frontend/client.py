"""A typed client of the REST API: one method for each thing the service offers, errors already translated."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from frontend.addresses import path_of
from frontend.answers import body_of, problem, read, read_all, unexpected
from frontend.errors import ClientError, Unreachable, from_problem
from frontend.maintainer_resources import AuditEntry, Baseline, DeadLetter, ReportListing
from frontend.resources import Benchmark, Leaderboard, Login, Submission
from frontend.team_resources import Delivery, Grant, Progress, Quota, Target
from frontend.tokens import checked_token
from frontend.uploads import SignedPart, Upload

_LONG = httpx.Timeout(120.0, connect=5.0)  # a storage may take a while to put gigabytes together
_LONGEST_PAGE = 200
_PAUSES = (0.2, 0.6, 1.5)  # seconds between tries when no connection could be made
_BUSY = ("idempotency-in-progress", "upload-busy")
_RETRIED = (httpx.ConnectError, httpx.ConnectTimeout)
_RETRIED_READ = (*_RETRIED, httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout)

Counting = Callable[[int, int], None]
_LONGEST_SILENCE = 40.0  # seconds; the service sends a sign of life every 15
T = TypeVar("T")


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
        return read(Submission.read, self._post("/submissions", body, key=idempotency_key))

    def upload(self, submission: str, archive: Path) -> Submission:
        """Send a small zip in one request. Never holds more than a chunk of it in memory."""
        with archive.open("rb") as stream:
            answer = self._send(
                "PUT",
                path_of("submissions", submission, "archive"),
                content=stream,
                headers={"Content-Type": "application/zip", "Content-Length": str(archive.stat().st_size)},
                timeout=_LONG,
            )
        return read(Submission.read, body_of(answer))

    # An archive in parts

    def begin_upload(self, submission: str, *, size: int) -> Upload:
        """Begin to upload an archive of `size` bytes."""
        return read(Upload.read, self._post(path_of("submissions", submission, "uploads"), {"bytes": size}))

    def uploads(self, submission: str) -> tuple[Upload, ...]:
        """The latest uploads of a submission, newest first, without their parts."""
        return read_all(Upload.read, self._json("GET", path_of("submissions", submission, "uploads")), key="uploads")

    def upload_of(self, submission: str, upload: str) -> Upload:
        """One upload with the parts that have arrived."""
        return read(Upload.read, self._json("GET", path_of("submissions", submission, "uploads", upload)))

    def sign_part(self, upload: Upload, *, number: int, size: int, sha256: str) -> SignedPart:
        """Where to send one part; good for a while and for exactly these bytes."""
        wish = {"parts": [{"number": number, "bytes": size, "sha256": sha256}]}
        path = path_of("submissions", upload.submission, "uploads", upload.id, "parts")
        (signed,) = read_all(SignedPart.read, self._json("POST", path, json=wish, again=True), key="parts")
        return signed

    def address(self, url: str) -> str:
        """The absolute address of a URL that the service gave."""
        return str(httpx.URL(self.url).join(url))

    def complete_upload(self, upload: Upload, *, parts: int, size: int, sha256: str) -> Submission:
        """All parts have arrived: hand the archive in."""
        wish = {"parts": parts, "bytes": size, "sha256": sha256}
        path = path_of("submissions", upload.submission, "uploads", upload.id, "complete")
        return read(Submission.read, self._json("POST", path, json=wish, again=True, timeout=_LONG))

    def abort_upload(self, upload: Upload) -> None:
        """Give an upload up; its parts are thrown away."""
        self._send("DELETE", path_of("submissions", upload.submission, "uploads", upload.id), again=True)

    def submission(self, submission: str) -> Submission:
        """One submission with events, defects, runs and (once scored) results."""
        return read(Submission.read, self._json("GET", path_of("submissions", submission)))

    def submissions(self) -> tuple[Submission, ...]:
        """The team's own submissions, newest first."""
        return self.every(Submission.read, "/submissions", key="submissions")

    def act(self, submission: str, *, verb: str, body: Mapping[str, Any] | None = None) -> Submission:
        """publish, unpublish, withdraw, or (maintainers) retry, hide, show, disqualify, reinstate."""
        return read(Submission.read, self._post(path_of("submissions", submission, verb), body))

    def quota(self, benchmark: str, *, team: str = "") -> Quota:
        """What the team may still submit; a maintainer names the team."""
        query = {"team": team} if team else {}
        return read(Quota.read, self._json("GET", path_of("benchmarks", benchmark, "quota"), params=query))

    def progress(self, submission: str) -> Progress:
        """How far a submission is."""
        return read(Progress.read, self._json("GET", path_of("submissions", submission, "progress")))

    def stream(self, submission: str) -> Iterator[Progress]:
        """How far a submission is, each time that it changes, until it rests or the stream breaks off.

        Raises ClientError where the service has no stream to give; what breaks off later just ends it.
        """
        patience = httpx.Timeout(5.0, read=_LONGEST_SILENCE)
        try:
            with self._http.stream("GET", path_of("submissions", submission, "stream"), timeout=patience) as answer:
                if answer.is_error:
                    answer.read()
                    raise from_problem(status=answer.status_code, body=problem(answer))
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        yield read(Progress.read, json.loads(line.removeprefix("data: ")))
        except httpx.HTTPError:
            return

    # Notices

    def targets(self) -> tuple[Target, ...]:
        """Where the team is told of its submissions' endings."""
        return read_all(Target.read, self._json("GET", "/notices"), key="targets")

    def add_webhook(self, url: str) -> Target:
        """Tell a webhook; the answer alone holds its secret."""
        return read(Target.read, self._json("POST", "/notices/webhooks", json={"url": url}))

    def add_email(self, address: str) -> Target:
        """Tell an e-mail address, once confirmed."""
        return read(Target.read, self._json("POST", "/notices/emails", json={"address": address}))

    def confirm_target(self, target: str, *, code: str) -> Target:
        """Confirm an e-mail address with the code mailed there."""
        return read(Target.read, self._json("POST", path_of("notices", target, "confirm"), json={"code": code}))

    def test_target(self, target: str) -> None:
        """Send a notice that tells nothing."""
        self._send("POST", path_of("notices", target, "test"))

    def remove_target(self, target: str) -> None:
        """Send nothing there any more."""
        self._send("DELETE", path_of("notices", target))

    def deliveries(self, *, state: str = "") -> tuple[Delivery, ...]:
        """What was sent, newest first."""
        query = {"state": state} if state else {}
        return self.every(Delivery.read, "/notices/deliveries", key="deliveries", **query)

    def retry_delivery(self, delivery: str) -> None:
        """Try a delivery that was given up anew."""
        self._send("POST", path_of("notices", "deliveries", delivery, "retry"))

    # Maintainers

    def baselines(self) -> tuple[Baseline, ...]:
        """Curated entries; a maintainer sees the retired ones too."""
        return self.every(Baseline.read, "/baselines", key="baselines")

    def add_baseline(self, entry: Mapping[str, Any]) -> Baseline:
        """Add a curated entry; `entry` is the request body."""
        return read(Baseline.read, self._post("/baselines", entry))

    def edit_baseline(self, baseline: str, changes: Mapping[str, Any]) -> Baseline:
        """Change the named members of a curated entry."""
        return read(Baseline.read, self._json("PATCH", path_of("baselines", baseline), json=dict(changes)))

    def retire_baseline(self, baseline: str, *, reason: str) -> Baseline:
        """Take a curated entry off the board; it stays in the records with the reason."""
        return read(Baseline.read, self._post(path_of("baselines", baseline, "retire"), {"reason": reason}))

    def change_limits(self, benchmark: str, changes: Mapping[str, int | None]) -> Mapping[str, Any]:
        """Set the limits named; None is no limit."""
        path = path_of("benchmarks", benchmark, "quota-limits")
        return dict(self._json("PATCH", path, json=dict(changes)))

    def grant(self, wish: Mapping[str, Any]) -> Grant:
        """Grant a team more; `wish` is the request body."""
        return read(Grant.read, self._post("/quota-grants", wish))

    def grants(self, *, benchmark: str = "", team: str = "") -> tuple[Grant, ...]:
        """What was granted, newest first."""
        query = {name: value for name, value in (("benchmark", benchmark), ("team", team)) if value}
        return self.every(Grant.read, "/quota-grants", key="grants", **query)

    def revoke_grant(self, grant: str) -> Grant:
        """End a grant now."""
        return read(Grant.read, self._post(path_of("quota-grants", grant, "revoke")))

    def audit(self, *, limit: int = 50) -> tuple[AuditEntry, ...]:
        """The latest acts of maintainers, newest first."""
        return read_all(AuditEntry.read, self._json("GET", "/audit", params={"limit": limit}), key="audit")

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """Submissions that failed on the service's side, newest first; the latest 200."""
        return read_all(DeadLetter.read, self._json("GET", "/runs/dead", params={"limit": _LONGEST_PAGE}), key="dead")

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

    def every(self, reader: Callable[[Any], T], path: str, *, key: str, **query: str) -> tuple[T, ...]:
        """A whole list, page by page."""
        found: list[T] = []
        cursor: dict[str, str] = {}
        while True:
            body = self._json("GET", path, params={"limit": _LONGEST_PAGE, **query, **cursor})
            found += read_all(reader, body, key=key)
            following = body.get("next_cursor") if isinstance(body, Mapping) else None
            if not following:
                return tuple(found)
            cursor = {"cursor": str(following)}

    def _json(self, method: str, path: str, *, again: bool | None = None, **options: Any) -> Any:
        return body_of(self._send(method, path, again=again, **options))

    def _post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str = "") -> Any:
        """A POST that is carried out once, however often it has to be sent until its answer arrives."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        options: dict[str, Any] = {} if body is None else {"json": dict(body)}
        return self._json("POST", path, headers=headers, again=True, **options)

    def _send(
        self,
        method: str,
        path: str,
        *,
        again: bool | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send, trying again while no connection can be made; reads also when the answer broke off."""
        retried = _RETRIED_READ if (method == "GET" if again is None else again) else _RETRIED
        for pause in (*_PAUSES, None):
            try:
                answer = self._http.request(method, path, **options)
            except retried as error:
                if pause is None:
                    raise Unreachable(url=self.url, reason=str(error) or type(error).__name__) from error
                self._sleep(pause)
            except httpx.HTTPError as error:
                raise Unreachable(url=self.url, reason=str(error) or type(error).__name__) from error
            except httpx.InvalidURL as error:
                raise Unreachable(url=self.url, reason="this is not an address") from error
            else:
                if not answer.is_error:
                    return answer
                refusal = from_problem(status=answer.status_code, body=problem(answer))
                if refusal.code not in _BUSY or pause is None:
                    raise refusal
                self._sleep(pause)
        raise AssertionError("unreachable")
