"""A small in-memory service with the REST shapes of the real one, for tests of the site and of the command line.

It checks what the real service checks at its border (tokens, states) and nothing more. Submissions move one state
further each time they are read, so a watcher sees every state.
"""

import hashlib
import itertools
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

NOW = "2026-11-23T10:00:00Z"
GSI_DIMENSIONS = [
    {"id": "ic", "label": "IC", "title": "Instruction compliance", "unit": "%", "better": "high"},
    {"id": "sa", "label": "SA", "title": "Spatial accuracy", "unit": "%", "better": "high"},
    {"id": "ac", "label": "AC", "title": "Appearance consistency", "unit": "%", "better": "high"},
    {"id": "el", "label": "EL", "title": "Edit locality", "unit": "%", "better": "high"},
    {"id": "avg", "label": "Avg", "title": "Average of the four", "unit": "%", "better": "high"},
]
OPERATIONS = ["move", "rotate", "scale", "remove", "view", "place"]
PAPER = [
    ("Nano Banana", "Google", "closed", (38.78, 21.6, 38.78, 34.92, 33.52), (36.62, 38.96, 36.62, 35.91, 37.03)),
    ("GPT-img", "OpenAI", "closed", (41.72, 28.04, 41.52, 27.52, 34.7), (39.33, 26.16, 38.4, 31.98, 33.97)),
    ("AnyEdit", None, "open", (10.2, 8.37, 9.68, 8.75, 9.25), (10.33, 22.84, 10.33, 9.52, 13.26)),
    ("UniWorld", None, "open", (28.8, 18.36, 28.75, 18.51, 23.61), (15.83, 30.33, 15.58, 14.43, 19.04)),
    ("Ultra", None, "open", (10.66, 5.7, 9.48, 8.97, 8.7), (2.17, 3.09, 1.33, 1.93, 2.13)),
    ("Qwen", None, "open", (51.02, 31.22, 50.95, 40.55, 43.44), (27.33, 25.52, 27.27, 25.51, 26.41)),
    ("OmniGen2", None, "open", (33.56, 19.62, 33.2, 29.82, 29.05), (0.0, 0.0, 0.0, 0.0, 0.0)),
    ("Emu3.5", None, "open", (51.7, 29.51, 51.7, 41.17, 43.52), (39.17, 24.09, 38.82, 34.91, 34.25)),
    ("BAGEL", None, "open", (31.97, 22.07, 31.88, 27.89, 28.46), (27.17, 26.52, 26.52, 26.17, 26.59)),
    ("BAGEL + GSI-Syn", None, "open", (40.14, 27.76, 40.14, 37.11, 36.28), (50.67, 44.1, 50.67, 49.52, 48.74)),
]
TRANSFER = [("BAGEL", (41.55, 47.38)), ("BAGEL + GSI-Syn", (42.07, 48.33)), ("Gemini-2.5", (52.12, None))]
STATES = ("uploaded", "validating", "queued", "scoring", "scored")
RESULT = {"ic": 90.0, "sa": 81.256, "ac": 88.4, "el": 97.1, "avg": 89.19, "n": 40, "missing": 1}
OFFICIAL_RESULT = {**RESULT, "ic": 31.25, "avg": 43.75}
DEFECTS = [
    {
        "code": "path_outside",
        "severity": "error",
        "file": "../../etc/passwd",
        "message": "The path leads outside of the archive.",
        "remedy": "Zip the folders blocks-tabletop and blocks-room themselves, without parent paths.",
    },
    {
        "code": "image_missing",
        "severity": "warning",
        "file": "blocks-room/room-01_edit_1",
        "message": "There is no image for this sample.",
        "remedy": "Add it, or accept that it scores 0.",
    },
]


def _benchmark(name: str, title: str, *, scored: bool, dimensions: list[dict[str, str]], subsets: list[str]) -> Any:
    return {
        "id": name,
        "title": title,
        "description": f"{title}: a board of the tests.",
        "kind": "scored" if scored else "published",
        "dimensions": dimensions,
        "subsets": [{"id": subset, "title": subset.replace("-", " ").title(), "samples": 40} for subset in subsets],
        "operations": OPERATIONS if scored else [],
        "protocol": "gsi-fair-1" if scored else "paper",
        "protocols": ["gsi-fair-1", "gsi-official-1"] if scored else ["paper"],
        "ranked_by": "overall" if name == "omnispatial" else "avg",
        "accepts_submissions": scored,
    }


BENCHMARKS = {
    "gsi-bench": _benchmark(
        "gsi-bench",
        "GSI-Bench",
        scored=False,
        dimensions=GSI_DIMENSIONS,
        subsets=["gsi-real", "gsi-syn-tabletop"],
    ),
    "blocks": _benchmark(
        "blocks", "Blocks", scored=True, dimensions=GSI_DIMENSIONS, subsets=["blocks-tabletop", "blocks-room"]
    ),
    "omnispatial": _benchmark(
        "omnispatial",
        "OmniSpatial",
        scored=False,
        dimensions=[
            {"id": "overall", "label": "Overall", "title": "Overall accuracy", "unit": "%", "better": "high"},
            {"id": "dynamic", "label": "Dynamic", "title": "Dynamic reasoning", "unit": "%", "better": "high"},
        ],
        subsets=["omnispatial"],
    ),
}


@dataclass
class Service:
    """The memory of one fake service; tests look into it.

    `refused` makes the next archive be refused, `failing_parts` are the answers to the next parts that are sent.
    """

    tokens: dict[str, str] = field(default_factory=dict)
    submissions: dict[str, dict[str, Any]] = field(default_factory=dict)
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)
    audit: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    in_parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    part_requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    failing_parts: list[tuple[int, str, str]] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    part_bytes: int = 1024
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    grants: list[dict[str, Any]] = field(default_factory=list)
    targets: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    refused: bool = False
    manifest: dict[str, Any] = field(default_factory=dict)
    providers: list[dict[str, str]] = field(default_factory=list)
    board_queries: list[tuple[str, str, str]] = field(default_factory=list)

    def reset(self) -> None:
        """Forget everything."""
        self.__dict__.update(Service().__dict__)


class Problem(Exception):
    def __init__(self, status: int, code: str, title: str, remedy: str = "") -> None:
        super().__init__(title)
        self.status, self.code, self.title, self.remedy = status, code, title, remedy


def create_fake_api(service: Service) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.exception_handler(Problem)
    async def tell(_request: Request, problem: Problem) -> JSONResponse:
        body = {"status": problem.status, "code": problem.code, "title": problem.title, "remedy": problem.remedy}
        return JSONResponse(body, status_code=problem.status, media_type="application/problem+json")

    app.add_middleware(Session)
    _public(app, service)
    _accounts(app, service)
    _teams(app, service)
    _notices(app, service)
    _maintainers(app, service)
    return app


class Session:
    """Pure ASGI: what a page sends with the session's cookie counts as sent with that session's secret."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            sent = dict(scope["headers"])
            kept = SimpleCookie(sent.get(b"cookie", b"").decode("latin-1")).get("gsi_session")
            if kept and b"authorization" not in sent:
                bearer = (b"authorization", f"Bearer {kept.value}".encode())
                scope = {**scope, "headers": [*scope["headers"], bearer]}
        await self._app(scope, receive, send)


def _who(service: Service, authorization: str) -> str:
    team = service.tokens.get(authorization.removeprefix("Bearer "))
    if team is None:
        raise Problem(401, "not_authenticated", "A token is needed", "Log in first.")
    return team


def _public(app: FastAPI, service: Service) -> None:
    @app.get("/api/v1/benchmarks")
    def benchmarks() -> Any:
        return {"benchmarks": list(BENCHMARKS.values())}

    @app.get("/api/v1/benchmarks/{name}")
    def benchmark(name: str) -> Any:
        if name not in BENCHMARKS:
            raise Problem(404, "not_found", "There is no such benchmark")
        return BENCHMARKS[name]

    @app.get("/api/v1/benchmarks/{name}/manifest")
    def manifest(name: str) -> Any:
        return service.manifest

    @app.get("/api/v1/benchmarks/{name}/leaderboard.csv")
    def csv(name: str) -> PlainTextResponse:
        return PlainTextResponse("rank,model\n1,BAGEL\n", media_type="text/csv")

    @app.get("/api/v1/benchmarks/{name}/leaderboard")
    def leaderboard(name: str, subset: str = "", operation: str = "", protocol: str = "") -> Any:
        service.board_queries.append((name, subset, operation))
        benchmark(name)
        columns = [dimension["id"] for dimension in BENCHMARKS[name]["dimensions"]]
        rows = list(_rows(service, name, subset, OFFICIAL_RESULT if protocol == "gsi-official-1" else RESULT))
        key = BENCHMARKS[name]["ranked_by"]
        rows.sort(key=lambda row: -row["scores"][key])
        for place, row in enumerate(rows, start=1):
            row["rank"] = place
        return {"benchmark": name, "subset": subset, "operation": operation, "columns": columns, "rows": rows}


def _rows(service: Service, name: str, subset: str, result: dict[str, Any]) -> Iterable[dict[str, Any]]:
    ids = [dimension["id"] for dimension in BENCHMARKS["gsi-bench"]["dimensions"]]
    if name == "gsi-bench":
        for model, organization, access, real, tabletop in PAPER:
            pairs = list(zip(real, tabletop, strict=True))
            values = {"gsi-real": real, "gsi-syn-tabletop": tabletop}.get(subset) or [(a + b) / 2 for a, b in pairs]
            yield _row(model, "curated", "paper", organization, access, dict(zip(ids, values, strict=True)))
    elif name == "omnispatial":
        for model, values in TRANSFER:
            yield _row(model, "curated", "paper", None, "open", dict(zip(("overall", "dynamic"), values, strict=True)))
    else:
        for submission in service.submissions.values():
            if submission["state"] == "published":
                scores = {key: result[key] for key in ids}
                row = _row(submission["model"], "submission", "scored", None, None, scores)
                yield {**row, "entry_id": submission["id"], "team": submission["team"]}


def _row(model: str, kind: str, provenance: str, organization: str | None, access: str | None, scores: Any) -> Any:
    return {
        "rank": None,
        "entry_id": str(uuid.uuid5(uuid.NAMESPACE_URL, model)),
        "kind": kind,
        "provenance": provenance,
        "model": model,
        "organization": organization,
        "access": access,
        "team": None,
        "protocol": "paper" if provenance == "paper" else "gsi-fair-1",
        "submitted_at": NOW if kind == "submission" else None,
        "source_url": "https://arxiv.org/abs/2604.20570" if provenance == "paper" else None,
        "scores": scores,
    }


def _accounts(app: FastAPI, service: Service) -> None:
    @app.get("/api/v1/sign-in")
    def ways() -> Any:
        return {"providers": service.providers, "development": True}

    @app.post("/api/v1/development/sign-in", status_code=204)
    async def sign_in(request: Request, response: Response) -> None:
        team = (await request.json())["team"]
        service.tokens[f"token-of-{team}"] = team
        response.set_cookie("gsi_session", f"token-of-{team}", httponly=True, samesite="lax")

    @app.post("/api/v1/sign-out", status_code=204)
    def sign_out(response: Response) -> None:
        response.delete_cookie("gsi_session", httponly=True, samesite="lax")

    @app.get("/api/v1/me")
    def me(authorization: str = Header("")) -> Any:
        team = _who(service, authorization)
        known = {"id": "me", "name": f"User of {team}", "email": "me@example.org", "may_maintain": team == "maintainer"}
        if team in ("maintainer", "nobody"):
            return {**known, "role": "maintainer" if team == "maintainer" else "user", "team": None, "teams": []}
        membership = {"id": team, "name": team, "role": "owner"}
        return {**known, "role": "team", "team": membership, "teams": [membership]}

    @app.get("/api/v1/teams/{team}/members")
    def members(team: str, authorization: str = Header("")) -> Any:
        _who(service, authorization)
        return {"members": [{"user_id": "me", "name": f"User of {team}", "role": "owner"}]}

    @app.get("/api/v1/teams/{team}/invitations")
    def invitations(team: str, authorization: str = Header("")) -> Any:
        _who(service, authorization)
        return {"invitations": [{"id": "one", "role": "member", "expires_at": "2999-01-01T00:00:00Z"}]}

    @app.get("/api/v1/tokens")
    def tokens(authorization: str = Header("")) -> Any:
        team = _who(service, authorization)
        token = {"id": "one", "name": "Laptop", "prefix": "gsi_AbCdEfGh", "scopes": ["read"], "team_name": team}
        return {"tokens": [{**token, "expires_at": NOW, "used_at": None}]}


def _teams(app: FastAPI, service: Service) -> None:
    @app.post("/api/v1/development/login")
    async def login(request: Request) -> Any:
        wish = await request.json()
        team = "maintainer" if wish.get("maintainer") else wish["team"]
        token = f"token-of-{team}"
        service.tokens[token] = team
        return {"token": token, "team": None if wish.get("maintainer") else {"id": team, "name": team}}

    @app.post("/api/v1/submissions", status_code=201)
    async def create(request: Request, authorization: str = Header("")) -> Any:
        team, wish = _who(service, authorization), await request.json()
        if wish["benchmark"] not in BENCHMARKS or not BENCHMARKS[wish["benchmark"]]["accepts_submissions"]:
            raise Problem(422, "no_submissions", "This benchmark takes no submissions", "Submit to blocks.")
        submission = _new_submission(team, wish)
        service.submissions[submission["id"]] = submission
        return submission

    @app.put("/api/v1/submissions/{name}/archive", status_code=202)
    async def archive(name: str, request: Request, authorization: str = Header("")) -> Any:
        submission = _own(service, name, authorization)
        service.uploads[name] = await request.body()
        _move(submission, "uploaded")
        return submission

    _parts(app, service)

    @app.get("/api/v1/submissions")
    def submissions(authorization: str = Header("")) -> Any:
        team = _who(service, authorization)
        own = [each for each in service.submissions.values() if each["team"] == team]
        return {"submissions": own[::-1]}

    @app.get("/api/v1/submissions/{name}")
    def submission(name: str, authorization: str = Header("")) -> Any:
        if authorization:
            _who(service, authorization)
        found = service.submissions.get(name)
        if found is None or (found["state"] != "published" and found["team"] != service.tokens.get(authorization[7:])):
            raise Problem(404, "not_found", "There is no such submission")
        _proceed(service, found)
        return found

    @app.get("/api/v1/submissions/{name}/progress")
    def progress(name: str, authorization: str = Header("")) -> Any:
        return _progress_of(_own(service, name, authorization))

    @app.get("/api/v1/submissions/{name}/stream")
    def stream(name: str, authorization: str = Header("")) -> Any:
        told = _progress_of(_own(service, name, authorization))
        return PlainTextResponse(f"event: progress\ndata: {json.dumps(told)}\n\n", media_type="text/event-stream")

    @app.get("/api/v1/benchmarks/{name}/quota")
    def quota(name: str, authorization: str = Header("")) -> Any:
        _who(service, authorization)
        return {
            "benchmark": name,
            "per_day": {"limit": 5, "used": 2, "remaining": 3},
            "total": {"limit": 200, "used": 40, "remaining": 160},
            "at_once": {"limit": None, "used": 1, "remaining": None},
            "resets_at": "2026-11-24T00:00:00Z",
        }

    moves = {"publish": "published", "unpublish": "scored", "withdraw": "withdrawn"}
    for verb, state in moves.items():
        app.post(f"/api/v1/submissions/{{name}}/{verb}")(_mover(service, state))


def _progress_of(submission: dict[str, Any]) -> dict[str, Any]:
    rests = submission["state"] not in ("created", *STATES[:-1])
    return {
        "id": submission["id"],
        "state": submission["state"],
        "at_rest": rests,
        "position": None if rests else 3,
        "stage": None,
        "done": 17,
        "total": 80,
        "estimate": None if rests else {"p50": 95, "p90": 3900},
    }


def _notices(app: FastAPI, service: Service) -> None:
    numbers = itertools.count(1)

    def add(authorization: str, kind: str, address: str) -> dict[str, Any]:
        _who(service, authorization)
        made = {"id": f"00000000-0000-0000-0001-{next(numbers):012d}", "kind": kind, "address": address}
        service.targets.append({**made, "created_at": NOW, "confirmed_at": NOW if kind == "webhook" else None})
        return {**service.targets[-1], "secret": "whsec_once" if kind == "webhook" else None}

    def found(name: str) -> dict[str, Any]:
        return next(each for each in service.targets if each["id"] == name)

    @app.get("/api/v1/notices")
    def targets(authorization: str = Header("")) -> Any:
        _who(service, authorization)
        return {"targets": service.targets}

    @app.post("/api/v1/notices/webhooks", status_code=201)
    async def webhook(request: Request, authorization: str = Header("")) -> Any:
        return add(authorization, "webhook", (await request.json())["url"])

    @app.post("/api/v1/notices/emails", status_code=201)
    async def email(request: Request, authorization: str = Header("")) -> Any:
        return add(authorization, "email", (await request.json())["address"])

    @app.post("/api/v1/notices/{name}/confirm")
    async def confirm(name: str, request: Request) -> Any:
        if (await request.json())["code"] != "c0de":
            raise Problem(422, "invalid", "That is not the code that was sent.", "Copy it from the mail.")
        found(name)["confirmed_at"] = NOW
        return found(name)

    @app.post("/api/v1/notices/{name}/test", status_code=202)
    def test(name: str) -> Any:
        service.deliveries.insert(0, {"id": "d-1", "address": found(name)["address"], "what": "test", "state": "dead"})
        service.deliveries[0] |= {"attempts": 8, "last_error": "it answered 503", "created_at": NOW}
        return found(name)

    @app.delete("/api/v1/notices/{name}", status_code=204)
    def remove(name: str) -> None:
        service.targets.remove(found(name))

    @app.get("/api/v1/notices/deliveries")
    def deliveries() -> Any:
        return {"deliveries": service.deliveries, "next_cursor": None}

    @app.post("/api/v1/notices/deliveries/{name}/retry", status_code=202)
    def retry(name: str) -> None:
        service.deliveries[0]["state"] = "pending"


def _parts(app: FastAPI, service: Service) -> None:
    """Uploads in parts; a part's URL needs no token, as at the real service."""
    here = "/api/v1/submissions/{name}/uploads"

    def found(name: str, upload: str, authorization: str) -> dict[str, Any]:
        _own(service, name, authorization)
        if upload not in service.in_parts or service.in_parts[upload]["submission"] != name:
            raise Problem(404, "upload-gone", "The upload is no longer open")
        return service.in_parts[upload]

    @app.post(here, status_code=201)
    async def begin(name: str, request: Request, authorization: str = Header("")) -> Any:
        _own(service, name, authorization)
        wish, upload = await request.json(), str(uuid.uuid4())
        told = {"id": upload, "submission": name, "state": "open", "part_bytes": service.part_bytes, "parts": []}
        service.in_parts[upload] = {**told, "bytes": wish.get("bytes"), "contents": {}, "signed": {}}
        return _shown(service.in_parts[upload])

    @app.get(here)
    def uploads(name: str, authorization: str = Header("")) -> Any:
        _own(service, name, authorization)
        return {"uploads": [_shown(one) for one in service.in_parts.values() if one["submission"] == name]}

    @app.get(here + "/{upload}")
    def one(name: str, upload: str, authorization: str = Header("")) -> Any:
        return _shown(found(name, upload, authorization))

    @app.delete(here + "/{upload}", status_code=204)
    def abort(name: str, upload: str, authorization: str = Header("")) -> None:
        found(name, upload, authorization)["state"] = "aborted"

    @app.post(here + "/{upload}/parts")
    async def sign(name: str, upload: str, request: Request, authorization: str = Header("")) -> Any:
        known, wish = found(name, upload, authorization), await request.json()
        known["signed"] |= {str(part["number"]): part for part in wish["parts"]}
        urls = [
            {"number": p["number"], "url": f"/api/v1/parts/{upload}/{p['number']}", "headers": {}}
            for p in wish["parts"]
        ]
        return {"parts": urls}

    @app.put("/api/v1/parts/{upload}/{number}", status_code=204)
    async def take(upload: str, number: str, request: Request) -> None:
        content, known = await request.body(), service.in_parts[upload]
        service.part_requests.append((number, dict(request.headers)))
        if service.failing_parts:
            raise Problem(*service.failing_parts.pop(0))
        if hashlib.sha256(content).hexdigest() != known["signed"][number]["sha256"]:
            raise Problem(400, "checksum-mismatch", "The bytes are not those that were announced")
        known["contents"][int(number)] = content

    @app.post(here + "/{upload}/complete", status_code=202)
    async def complete(name: str, upload: str, request: Request, authorization: str = Header("")) -> Any:
        known, submission, wish = (
            found(name, upload, authorization),
            _own(service, name, authorization),
            await request.json(),
        )
        whole = b"".join(content for _, content in sorted(known["contents"].items()))
        if len(known["contents"]) != wish["parts"] or len(whole) != wish["bytes"]:
            raise Problem(400, "incomplete-upload", "The upload is incomplete")
        known["state"], service.uploads[name] = "completed", whole
        service.hashes[name] = wish.get("sha256", "")
        _move(submission, "uploaded")
        return submission


def _shown(upload: dict[str, Any]) -> dict[str, Any]:
    parts = [
        {"number": n, "bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()} for n, c in upload["contents"].items()
    ]
    return {key: value for key, value in upload.items() if key not in ("contents", "signed")} | {"parts": parts}


def _new_submission(team: str, wish: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        **{key: wish.get(key) for key in ("benchmark", "model", "organization", "description", "url")},
        "team": team,
        "state": "created",
        "state_title": "Waiting for the archive",
        "created_at": NOW,
        "events": [{"at": NOW, "state": "created", "detail": None}],
        "defects": [],
        "runs": [],
        "results": None,
        "failure": None,
        "links": {},
    }


def _own(service: Service, name: str, authorization: str) -> dict[str, Any]:
    team = _who(service, authorization)
    found = service.submissions.get(name)
    if found is None or found["team"] != team:
        raise Problem(404, "not_found", "There is no such submission")
    return found


def _mover(service: Service, state: str) -> Callable[..., Any]:
    async def move(name: str, request: Request, authorization: str = Header("")) -> Any:
        submission = _own(service, name, authorization)
        wish = await request.json() if await request.body() else {}
        if wish.get("embargo_until"):
            submission["embargo_until"] = wish["embargo_until"]
            _move(submission, "embargoed")
            return submission
        if state in ("published", "scored") and submission["state"] not in ("scored", "published", "embargoed"):
            raise Problem(409, "wrong_state", "Only a scored submission can be published", "Wait until it is scored.")
        _move(submission, state)
        return submission

    return move


def _move(submission: dict[str, Any], state: str) -> None:
    submission["state"] = state
    submission["state_title"] = state.capitalize()
    submission["events"].append({"at": NOW, "state": state, "detail": None})


def _proceed(service: Service, submission: dict[str, Any]) -> None:
    state = submission["state"]
    if state not in STATES or state == "scored":
        return
    if state == "validating" and service.refused:
        submission["defects"] = DEFECTS
        _move(submission, "rejected")
        return
    following = STATES[STATES.index(state) + 1]
    _move(submission, following)
    counts = {"scoring": 17, "scored": 40}
    if following in counts:
        subsets = [subset["id"] for subset in BENCHMARKS["blocks"]["subsets"]]
        submission["runs"] = [_run(subset, following, counts[following]) for subset in subsets]
    if following == "scored":
        each = {"all": RESULT, "move": RESULT, "remove": {**RESULT, "avg": 12.5}}
        submission["results"] = {"blocks-tabletop": each, "blocks-room": each}
        submission["beside"] = {"gsi-official-1": {"blocks-tabletop": {"all": OFFICIAL_RESULT}}}


def _run(subset: str, state: str, done: int) -> dict[str, Any]:
    running = state == "scoring"
    return {
        "subset": subset,
        "state": "running" if running else "succeeded",
        "attempt": 1,
        "stage": "measure" if running else "aggregate",
        "done": done,
        "total": 40,
        "error": None,
    }


def _moderator(service: Service, act: Callable[..., None], verb: str, state: str) -> Callable[..., Any]:
    async def moderate(name: str, request: Request, authorization: str = Header("")) -> Any:
        wish = await request.json()
        act(authorization, f"submission.{verb}", name, wish)
        submission = service.submissions[name]
        submission["moderation_reason"] = wish["reason"] if state in ("delisted", "disqualified") else None
        _move(submission, state)
        return submission

    return moderate


def _maintainers(app: FastAPI, service: Service) -> None:
    numbers = itertools.count(1)

    def act(authorization: str, action: str, subject: str, detail: Any) -> None:
        if _who(service, authorization) != "maintainer":
            raise Problem(403, "maintainers_only", "Only a maintainer may do this", "Log in with --maintainer.")
        service.audit.insert(
            0, {"at": NOW, "actor": "maintainer", "action": action, "subject": subject, "detail": detail}
        )

    @app.get("/api/v1/baselines")
    def baselines() -> Any:
        return {"baselines": list(service.baselines.values())}

    @app.post("/api/v1/baselines", status_code=201)
    async def add(request: Request, authorization: str = Header("")) -> Any:
        wish, name = await request.json(), f"00000000-0000-0000-0000-{next(numbers):012d}"
        act(authorization, "baseline.add", name, wish)
        service.baselines[name] = {"id": name, "retired_at": None, **wish}
        return service.baselines[name]

    @app.patch("/api/v1/baselines/{name}")
    async def edit(name: str, request: Request, authorization: str = Header("")) -> Any:
        wish = await request.json()
        act(authorization, "baseline.edit", name, wish)
        service.baselines[name] |= wish
        return service.baselines[name]

    @app.post("/api/v1/baselines/{name}/retire")
    async def retire(name: str, request: Request, authorization: str = Header("")) -> Any:
        wish = await request.json()
        act(authorization, "baseline.retire", name, wish)
        service.baselines[name] |= {"retired_at": NOW, "retired_reason": wish["reason"]}
        return service.baselines[name]

    for verb, state in {
        "hide": "delisted",
        "show": "published",
        "disqualify": "disqualified",
        "reinstate": "scored",
    }.items():
        app.post(f"/api/v1/submissions/{{name}}/{verb}")(_moderator(service, act, verb, state))

    @app.patch("/api/v1/benchmarks/{name}/quota-limits")
    async def limits(name: str, request: Request, authorization: str = Header("")) -> Any:
        wish = await request.json()
        act(authorization, "quota.limits", name, wish)
        return {"benchmark": name, "per_day": 5, "total": 200, "at_once": None, **wish}

    @app.get("/api/v1/quota-grants")
    def grants(authorization: str = Header("")) -> Any:
        _who(service, authorization)
        return {"grants": service.grants}

    @app.post("/api/v1/quota-grants", status_code=201)
    async def grant(request: Request, authorization: str = Header("")) -> Any:
        wish, name = await request.json(), f"00000000-0000-0000-0000-{next(numbers):012d}"
        act(authorization, "quota.grant", name, wish)
        service.grants.insert(0, {"id": name, "created_at": NOW, "revoked_at": None, **wish})
        return service.grants[0]

    @app.post("/api/v1/quota-grants/{name}/revoke")
    def revoke(name: str, authorization: str = Header("")) -> Any:
        act(authorization, "quota.revoke", name, None)
        found = next(each for each in service.grants if each["id"] == name)
        found["revoked_at"] = NOW
        return found

    @app.get("/api/v1/submissions/{name}/reports")
    def reports(name: str, authorization: str = Header("")) -> Any:
        act(authorization, "submission.explained", name, {"subsets": list(service.reports)})
        return {"reports": [{"run": f"run-of-{subset}", "subset": subset} for subset in service.reports]}

    @app.get("/api/v1/submissions/{name}/reports/{subset}")
    def report(name: str, subset: str, authorization: str = Header("")) -> Any:
        act(authorization, "submission.explained", name, {"subset": subset})
        return service.reports[subset]

    @app.get("/api/v1/audit")
    def audit(authorization: str = Header(""), limit: int = 50) -> Any:
        if _who(service, authorization) != "maintainer":
            raise Problem(403, "maintainers_only", "Only a maintainer may do this")
        return {"entries": service.audit[:limit]}
