"""Every route against every kind of caller. A route that is missing here fails the first test."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from fastapi.routing import APIRoute

from server.curation import service as curation
from server.curation.model import NewEntry
from server.curation.seed import seed
from server.db.pool import transaction
from server.http import repeating
from server.http.dependencies import credential
from server.notices import store as notices
from server.submissions import store
from server.submissions.lifecycle import State
from server.submissions.quotas import service as quotas
from server.teams import secrets, tokens_store, users_store
from server.teams import store as teams
from server.teams.callers import Needs
from server.teams.tokens_store import NewToken
from tests import making
from tests.reporting import CANARY, keep_reports
from tests.uploading import Begun, begun

SECRET_MODEL = "Unannounced-Model-7"
CALLERS = ("anonymous", "other", "owner", "maintainer")


class Case(NamedTuple):
    """What each caller gets: anonymous, another team, the owning team, a maintainer. `state` is the submission's."""

    expected: tuple[int, int, int, int]
    state: State = State.SCORED
    body: object = None

    def sent(self, world: World) -> object:
        """The body for that world: what is known only once it is made is asked of it."""
        return self.body(world) if callable(self.body) else self.body


UPLOAD = "/submissions/{submission_id}/uploads/{upload_id}"
CONTENT = b"one part"
PARTS = {"parts": [{"number": 1, "bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}]}
ZIP = b"PK\x05\x06" + bytes(18)
BASELINE = {
    "benchmark": "sat-real",
    "model": "New",
    "organization": "Org",
    "access": "closed",
    "access_date": "2026-11-20",
    "source_url": "https://example.org",
    "scores": {"sat-real": {"overall": 1}},
}
WHY = {"reason": "because of a rule"}
GRANT = {"team": "Owners", "benchmark": "blocks", "kind": "total", "extra": 1, "reason": "camera-ready"}
QUOTA = {"benchmark_id": "blocks", "kind": "total", "extra": 1, "reason": "camera-ready"}
ALL = Case((200, 200, 200, 200))
TOKEN = {"name": "mine", "scopes": ["read"]}


def code_of(world: World) -> object:
    return {"code": world.code}


def a_webhook(_world):
    """One that the team does not have yet."""
    return {"url": f"https://example.org/hooks/{uuid4()}"}


CASES: dict[tuple[str, str], Case] = {
    ("GET", "/health"): ALL,
    ("GET", "/ready"): ALL,
    ("POST", "/development/login"): Case((200, 200, 200, 200), body={"team": "Somebody"}),
    # Signing in is for pages of the site: without a browser's Origin nobody begins.
    ("GET", "/sign-in"): ALL,
    ("POST", "/sign-in/{provider_id}"): Case((403, 403, 403, 403), body={}),
    ("GET", "/sign-in/{provider_id}/callback"): Case((404, 404, 404, 404)),
    ("POST", "/development/sign-in"): Case((403, 403, 403, 403), body={"team": "Somebody"}),
    ("POST", "/sign-out"): Case((401, 204, 204, 204)),
    ("GET", "/me"): Case((401, 200, 200, 200)),
    ("PUT", "/me/acting"): Case((401, 403, 403, 403), body={}),
    ("POST", "/teams"): Case((401, 403, 403, 201), body={"name": "A new team"}),
    ("GET", "/teams/{team_id}"): Case((401, 404, 200, 200)),
    ("PATCH", "/teams/{team_id}"): Case((401, 404, 200, 403), body={"name": "Renamed"}),
    ("GET", "/teams/{team_id}/members"): Case((401, 404, 200, 200)),
    ("PATCH", "/teams/{team_id}/members/{user_id}"): Case((401, 404, 204, 403), body={"role": "owner"}),
    ("DELETE", "/teams/{team_id}/members/{user_id}"): Case((401, 404, 204, 403)),
    ("POST", "/teams/{team_id}/invitations"): Case((401, 404, 201, 403), body={}),
    ("GET", "/teams/{team_id}/invitations"): Case((401, 404, 200, 403)),
    ("DELETE", "/teams/{team_id}/invitations/{invitation_id}"): Case((401, 404, 204, 403)),
    ("POST", "/invitations/preview"): Case((401, 200, 200, 200), body=code_of),
    ("POST", "/invitations/accept"): Case((401, 403, 403, 200), body=code_of),
    ("GET", "/tokens"): Case((401, 200, 200, 200)),
    ("POST", "/tokens"): Case((401, 201, 201, 201), body=TOKEN),
    ("DELETE", "/tokens/{token_id}"): Case((401, 404, 204, 404)),
    ("GET", "/users"): Case((401, 403, 403, 200)),
    ("PUT", "/users/{user_id}/maintainer"): Case((401, 403, 403, 204)),
    ("DELETE", "/users/{user_id}/maintainer"): Case((401, 403, 403, 204)),
    ("GET", "/benchmarks"): ALL,
    ("GET", "/benchmarks/{benchmark_id}"): ALL,
    ("GET", "/benchmarks/{benchmark_id}/manifest"): ALL,
    ("GET", "/benchmarks/{benchmark_id}/inputs.zip"): ALL,
    ("GET", "/benchmarks/{benchmark_id}/originals/{name:path}"): ALL,
    ("GET", "/benchmarks/{benchmark_id}/leaderboard"): ALL,
    ("GET", "/benchmarks/{benchmark_id}/leaderboard.csv"): ALL,
    ("POST", "/submissions"): Case((401, 201, 201, 403), body={"benchmark": "blocks", "model": "m"}),
    ("GET", "/submissions"): Case((401, 200, 200, 200)),
    ("GET", "/submissions/{submission_id}"): Case((404, 404, 200, 200)),
    ("PUT", "/submissions/{submission_id}/archive"): Case((401, 404, 202, 404), State.CREATED, ZIP),
    ("POST", "/submissions/{submission_id}/uploads"): Case((401, 404, 201, 404), State.CREATED, {}),
    ("GET", "/submissions/{submission_id}/uploads"): Case((401, 404, 200, 404), State.CREATED),
    ("GET", UPLOAD): Case((401, 404, 200, 404), State.CREATED),
    ("POST", "/submissions/{submission_id}/uploads/{upload_id}/parts"): Case(
        (401, 404, 200, 404), State.CREATED, PARTS
    ),
    ("POST", "/submissions/{submission_id}/uploads/{upload_id}/complete"): Case(
        (401, 404, 202, 404), State.CREATED, {}
    ),
    ("DELETE", UPLOAD): Case((401, 404, 204, 404), State.CREATED),
    ("PUT", "/parts/{storage_id}/{number}"): Case((204, 204, 204, 204), State.CREATED, CONTENT),
    ("POST", "/submissions/{submission_id}/publish"): Case((401, 404, 200, 200)),
    ("POST", "/submissions/{submission_id}/unpublish"): Case((401, 404, 200, 200), State.PUBLISHED),
    ("POST", "/submissions/{submission_id}/withdraw"): Case((401, 404, 200, 200)),
    ("POST", "/submissions/{submission_id}/retry"): Case((401, 403, 403, 200), State.FAILED),
    ("POST", "/submissions/{submission_id}/hide"): Case((401, 403, 403, 200), State.PUBLISHED, WHY),
    ("POST", "/submissions/{submission_id}/show"): Case((401, 403, 403, 200), State.DELISTED, WHY),
    ("POST", "/submissions/{submission_id}/disqualify"): Case((401, 403, 403, 200), State.SCORED, WHY),
    ("POST", "/submissions/{submission_id}/reinstate"): Case((401, 403, 403, 200), State.DISQUALIFIED, WHY),
    ("GET", "/benchmarks/{benchmark_id}/quota"): Case((401, 200, 200, 422)),
    ("PATCH", "/benchmarks/{benchmark_id}/quota-limits"): Case((401, 403, 403, 200), body={"per_day": 9000}),
    ("GET", "/submissions/{submission_id}/progress"): Case((401, 404, 200, 200)),
    ("GET", "/submissions/{submission_id}/stream"): Case((404, 404, 200, 200)),
    ("GET", "/notices"): Case((401, 200, 200, 403)),
    ("POST", "/notices/webhooks"): Case((401, 201, 201, 403), body=a_webhook),
    ("POST", "/notices/emails"): Case((401, 409, 409, 403), body={"address": "lab@example.org"}),
    ("POST", "/notices/{target_id}/confirm"): Case((401, 404, 422, 403), body={"code": "wrong"}),
    ("POST", "/notices/{target_id}/test"): Case((401, 404, 202, 403)),
    ("DELETE", "/notices/{target_id}"): Case((401, 404, 204, 403)),
    ("GET", "/notices/deliveries"): Case((401, 200, 200, 200)),
    ("POST", "/notices/deliveries/{delivery_id}/retry"): Case((401, 404, 202, 202)),
    ("GET", "/quota-grants"): Case((401, 403, 403, 200)),
    ("POST", "/quota-grants"): Case((401, 403, 403, 201), body=GRANT),
    ("POST", "/quota-grants/{grant_id}/revoke"): Case((401, 403, 403, 200)),
    ("GET", "/submissions/{submission_id}/reports"): Case((401, 403, 403, 200)),
    ("GET", "/submissions/{submission_id}/reports/{subset}"): Case((401, 403, 403, 200)),
    ("GET", "/baselines"): ALL,
    ("POST", "/baselines"): Case((401, 403, 403, 201), body=BASELINE),
    ("GET", "/baselines/{entry_id}"): ALL,
    ("PATCH", "/baselines/{entry_id}"): Case((401, 403, 403, 200), body={"source_note": "Table 2"}),
    ("POST", "/baselines/{entry_id}/retire"): Case((401, 403, 403, 200), body={"reason": "withdrawn"}),
    ("GET", "/runs/dead"): Case((401, 403, 403, 200)),
    ("GET", "/audit"): Case((401, 403, 403, 200)),
}


MEMBERS = {
    ("PATCH", "/teams/{team_id}"): 403,
    ("PATCH", "/teams/{team_id}/members/{user_id}"): 403,
    ("POST", "/teams/{team_id}/invitations"): 403,
    ("GET", "/teams/{team_id}/invitations"): 403,
    ("DELETE", "/teams/{team_id}/invitations/{invitation_id}"): 403,
    ("DELETE", "/tokens/{token_id}"): 404,
}
"""What a member of the owning team gets where it is not what an owner gets; their tokens are their own."""


class World(NamedTuple):
    """One submission in the state wanted, one living baseline, and the headers of each caller."""

    submission: UUID
    baseline: UUID
    grant: UUID
    target: UUID
    delivery: UUID
    original: str
    headers: dict[str, dict[str, str]]
    places: dict[str, str]
    code: str
    begin_upload: Callable[[], Begun]

    def path(self, route: str) -> str:
        """Where ``route`` is here; for one of an upload, an upload whose one part `CONTENT` has arrived is begun."""
        if "{upload_id}" in route:
            route = route.replace("{upload_id}", str(self.begin_upload().id))
        if route.startswith("/parts/"):  # a signed URL is the permission, whoever uses it
            return self.begin_upload().urls[0].removeprefix("/api/v1")
        for name, place in self.places.items():
            route = route.replace(name, place)
        return (
            route.replace("{submission_id}", str(self.submission))
            .replace("{entry_id}", str(self.baseline))
            .replace("{grant_id}", str(self.grant))
            .replace("{target_id}", str(self.target))
            .replace("{delivery_id}", str(self.delivery))
            .replace("{benchmark_id}", "blocks")
            .replace("{subset}", "blocks-room")
            .replace("{name:path}", self.original)
        )


@pytest.fixture
def world(pool, storage, blocks, benchmark_zips, login, maintainer, client, settings):
    def make(state: State) -> World:
        with transaction(pool) as conn:
            seed(conn)
            submission = making.submission(
                conn, blocks, state=state, team="Owners", model=SECRET_MODEL, numbers=making.everywhere(77.77)
            )
            keep_reports(conn, storage, submission)
            new = NewEntry(
                benchmark="blocks",
                model=f"Cited {uuid4()}",
                source_url="https://example.org",
                scores={"blocks-room": {"avg": 1.0}},
            )
            baseline = curation.add(conn, new, actor="test").id
            team = store.get(conn, submission).team_id
            target = _target(conn, team)
            delivery = _dead_delivery(conn, target)
            grant = quotas.grant(conn, team_id=team, actor="test", expires_at=None, **QUOTA).id
        headers = {"anonymous": {}, "other": login("Others"), "owner": login("Owners"), "maintainer": maintainer}
        original = benchmark_zips.manifest["samples"][0]["original"].removeprefix("originals/")
        places, code = _team_of(client, pool, headers["owner"])
        headers["member"] = _token_of_member(pool, settings, places)

        def begin_upload() -> Begun:
            with transaction(pool) as conn:
                return begun(conn, storage, submission, CONTENT)

        return World(submission, baseline, grant, target, delivery, original, headers, places, code, begin_upload)

    return make


def _team_of(client, pool, owner):
    """A second member, an invitation and a token in the owner's team; where they are, and the invitation's code."""
    me = client.get("/me", headers=owner).json()
    team = me["team"]["id"]
    with transaction(pool) as conn:
        member = users_store.signed_in(conn, issuer="https://idp.test", subject="member", name="Member")
        teams.add_member(conn, UUID(team), member.id, role="member")
        # A test that makes many worlds must not meet the bounds of how many may be open.
        in_use = owner["authorization"].removeprefix("Bearer ")[:12]
        conn.execute("update api_tokens set revoked_at = now() where user_id = %s and prefix <> %s", (me["id"], in_use))
        conn.execute("update invitations set revoked_at = now() where accepted_at is null and revoked_at is null")
    invitation = client.post(f"/teams/{team}/invitations", json={}, headers=owner).json()
    token = client.post("/tokens", json=TOKEN, headers=owner).json()
    places = {
        "{team_id}": team,
        "{user_id}": str(member.id),
        "{invitation_id}": invitation["id"],
        "{token_id}": token["id"],
        "{provider_id}": "nowhere",
    }
    return places, invitation["code"]


def _token_of_member(pool, settings, places):
    """Headers of the second member, who may do all that a member may."""
    secret = secrets.fresh(secrets.TOKEN_PREFIX)
    new = NewToken(
        user_id=UUID(places["{user_id}"]),
        team_id=UUID(places["{team_id}"]),
        name="member",
        scopes=frozenset({"read", "submit", "admin"}),
        lifetime=timedelta(days=1),
        not_after=None,
    )
    with transaction(pool) as conn:
        tokens_store.add_token(conn, new, prefix=secrets.shown(secret), hashed=secrets.hashed(settings, secret))
    return {"authorization": f"Bearer {secret}"}


def _target(conn, team):
    made = notices.add_target(conn, team_id=team, kind="webhook", address=f"https://{uuid4()}.org/", confirmed=True)
    return made.id


def _dead_delivery(conn, target):
    delivery = notices.add_delivery(conn, target_id=target, what="test")
    conn.execute("update deliveries set state = 'dead' where id = %s", (delivery,))
    return delivery


def _send(client, method, path, body, headers):
    if isinstance(body, bytes):
        return client.request(method, path, content=body, headers={**headers, "content-type": "application/zip"})
    return client.request(method, path, json=body, headers=headers)


def test_the_table_names_every_route_and_no_other(app):
    in_document = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    assert in_document == {(method, path.replace(":path", "")) for method, path in CASES}


CHECKED_BY_HAND = {"upload", "stream"}
"""They hold no connection while they receive or send, and so ask for the scope themselves."""


def test_every_route_that_asks_who_is_calling_says_which_scope_it_needs(app):
    asking, silent = 0, []
    for route in _routes(app.routes):
        calls = {each.call for each in _flat(route.dependant)}
        scopes = [call.scope for call in calls if isinstance(call, Needs)]
        if credential in calls and route.name not in CHECKED_BY_HAND:
            asking += 1
            silent += [] if len(scopes) == 1 else [(route.methods, route.path, scopes)]
    assert asking > 30
    assert silent == []


def _routes(routes):
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif router := getattr(route, "original_router", None):
            yield from _routes(router.routes)


def _flat(dependant):
    for each in dependant.dependencies:
        if each.call is not repeating.claim:  # it asks whose key it is, and nothing is allowed or refused by that
            yield each
            yield from _flat(each)


@pytest.mark.parametrize(("method", "route"), CASES)
def test_each_caller_gets_what_the_table_says(method, route, client, world):
    case, made = CASES[method, route], None
    expected = dict(zip(CALLERS, case.expected, strict=True))
    expected["member"] = MEMBERS.get((method, route), expected["owner"])
    for caller in sorted(expected, key=expected.__getitem__, reverse=True):  # refusals first: they change nothing
        if made is None or (expected[caller] < 400 and method != "GET") or "{upload_id}" in route:
            made = world(case.state)
        answer = _send(client, method, made.path(route), case.sent(made), made.headers[caller])
        assert answer.status_code == expected[caller], (caller, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert SECRET_MODEL not in answer.text


@pytest.mark.parametrize("caller", ["anonymous", "other"])
@pytest.mark.parametrize("state", [state for state in State if state is not State.PUBLISHED])
def test_an_unpublished_submission_leaves_no_trace_in_any_answer_to_others(caller, state, client, world):
    made = world(state)
    for method, route in CASES:
        if method == "GET":
            text = client.get(made.path(route), headers=made.headers[caller]).text
            assert SECRET_MODEL not in text, route
            assert "77.77" not in text, route
            assert str(made.submission) not in text or "{submission_id}" in route, route


@pytest.mark.parametrize(("method", "route"), [case for case in CASES if "{submission_id}" in case[1]])
def test_anothers_submission_answers_as_one_that_does_not_exist(method, route, client, world):
    case = CASES[method, route]
    made = world(case.state)
    path = made.path(route)
    real = _send(client, method, path, case.body, made.headers["other"])
    elsewhere = path.replace(str(made.submission), str(uuid4()))
    none = _send(client, method, elsewhere, case.body, made.headers["other"])
    one, other = real.json(), none.json()
    assert real.status_code == none.status_code
    assert {**one, "request_id": ""} == {**other, "request_id": ""}


@pytest.mark.parametrize("caller", ["anonymous", "other"])
def test_a_published_submission_shows_its_scores_and_not_its_inner_life(caller, client, world):
    made = world(State.PUBLISHED)
    found = client.get(made.path("/submissions/{submission_id}"), headers=made.headers[caller]).json()
    assert found["results"]["blocks-room"]["all"]["avg"] == 77.77
    assert found["events"] == found["runs"] == found["defects"] == []
    assert found["archive_sha256"] is None


def test_an_unpublished_submission_disappears_from_the_board_at_once(client, world):
    made = world(State.PUBLISHED)
    assert SECRET_MODEL in client.get("/benchmarks/blocks/leaderboard").text
    client.post(made.path("/submissions/{submission_id}/unpublish"), headers=made.headers["owner"])
    assert SECRET_MODEL not in client.get("/benchmarks/blocks/leaderboard").text
    assert client.get(made.path("/submissions/{submission_id}")).status_code == 404


def test_a_team_lists_its_own_submissions_only(client, world):
    made = world(State.SCORED)
    assert client.get("/submissions", headers=made.headers["other"]).json()["submissions"] == []
    own = client.get("/submissions", headers=made.headers["owner"]).json()["submissions"]
    assert [one["id"] for one in own] == [str(made.submission)]


@pytest.mark.parametrize("caller", CALLERS)
def test_the_hidden_part_of_a_benchmark_is_in_no_answer(caller, client, world):
    made = world(State.PUBLISHED)
    for method, route in CASES:
        if method == "GET":
            content = client.get(made.path(route), headers=made.headers[caller]).content
            assert b"HIDDEN" not in content, route
            assert b"hidden" not in content, route
            if route.endswith(".zip"):
                names = zipfile.ZipFile(io.BytesIO(content)).namelist()
                assert not [name for name in names if name.startswith("gt/") or "truth" in name]


@pytest.mark.parametrize("caller", ["anonymous", "other", "owner"])
@pytest.mark.parametrize("state", [State.SCORED, State.PUBLISHED])
def test_what_a_report_explains_is_in_no_answer_but_a_maintainers(caller, state, client, world):
    made = world(state)
    for method, route in CASES:
        if method == "GET":
            content = client.get(made.path(route), headers=made.headers[caller]).content
            assert CANARY.encode() not in content, route
    shown = client.get(made.path("/submissions/{submission_id}/reports/{subset}"), headers=made.headers["maintainer"])
    assert CANARY.encode() in shown.content


@pytest.mark.parametrize(
    "name",
    [
        "../benchmark.json",
        "..%2Fbenchmark.json",
        "%2e%2e/%2e%2e/hidden/truth.json",
        "..%2f..%2fhidden%2ftruth.json",
        "....//hidden/truth.json",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "..\\hidden\\truth.json",
        "%00",
        "tabletop-00_move.webp%00.png",
        ".",
        "",
    ],
)
def test_no_name_of_an_original_leads_anywhere_else(name, client, blocks):
    assert client.get(f"/benchmarks/blocks/originals/{name}").status_code in (404, 307)


@pytest.mark.parametrize("token", ["", "x", "gsi_" + "a" * 43, "ü", "gsi_\x00"])
def test_a_wrong_token_is_refused_even_where_none_is_needed(token, client, world):
    made = world(State.PUBLISHED)
    sent = {"authorization": f"Bearer {token}".encode()}
    answer = client.get(made.path("/submissions/{submission_id}"), headers=sent)
    assert answer.status_code == (200 if token == "" else 401)
    assert answer.status_code == 200 or answer.headers["www-authenticate"] == "Bearer"
