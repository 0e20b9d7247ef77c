"""Every POST of the service may be repeated under an Idempotency-Key."""

from __future__ import annotations

import threading

import pytest
from fastapi.testclient import TestClient

from server.app import create_app
from server.db.pool import transaction
from server.http import repeating
from server.teams import store as teams
from server.teams import users_store
from tests import making
from tests.unit.server.test_who_may_what import CALLERS, CASES, _send, world  # noqa: F401 - a fixture
from tests.uploading import begun

POSTS = [route for method, route in CASES if method == "POST"]
ELSEWHERE = {"/sign-in/{provider_id}", "/development/sign-in", "/notices/emails", "/notices/{target_id}/confirm"}
"""What nobody is granted in the world of these cases: signing in needs a page of the site, notices a mail server."""
KEY = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
NEW = {"benchmark": "blocks", "model": "A model"}
SECRETS = {"token", "secret", "key", "password", "code", "link"}
PAGE = {"origin": "http://test"}


def _rows(pool):
    """How many rows each table has, but for those of the keys themselves."""
    with transaction(pool) as conn:
        names = [row[0] for row in conn.execute("select tablename from pg_tables where schemaname = 'public'")]
        return {
            name: conn.execute(f"select count(*) from {name}").fetchone()[0]
            for name in names
            if name != "idempotency_keys"
        }


def _kept(pool):
    with transaction(pool) as conn:
        return conn.execute("select caller, key, body from idempotency_keys").fetchall()


def test_no_post_route_is_left_out(app):
    posts = {path for path, methods in app.openapi()["paths"].items() if "post" in methods}
    assert posts == {f"/api/v1{route}" for route in POSTS}


@pytest.mark.parametrize("route", [route for route in POSTS if min(CASES["POST", route].expected) < 400])
def test_a_post_that_is_repeated_with_its_key_is_carried_out_once(route, client, pool, world):  # noqa: F811
    case = CASES["POST", route]
    made = world(case.state)
    path = made.path(route)
    caller = next(c for c, status in zip(CALLERS, case.expected, strict=True) if status < 400)
    headers = made.headers[caller] | KEY
    body = case.sent(made)
    first = _send(client, "POST", path, body, headers)
    assert first.status_code < 300, first.text
    assert repeating.REPLAYED not in first.headers
    rows = _rows(pool)
    again = _send(client, "POST", path, body, headers)
    assert _rows(pool) == rows
    if "no-store" in first.headers.get("cache-control", ""):
        assert (again.status_code, again.json()["code"]) == (409, "answer-shown-once")
        assert [body for _, _, body in _kept(pool)] == [None]
    else:
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers[repeating.REPLAYED] == "true"
        assert again.headers.get("location") == first.headers.get("location")
        assert again.headers.get("content-type") == first.headers.get("content-type")
        shown = set(first.json() or ()) if first.content else set()
        assert not SECRETS & shown, "an answer with a secret says cache-control: no-store"
    other = _send(client, "POST", path, {"another": "body"}, headers)
    if caller == "anonymous":  # who is nobody shares a key only with who sends the same request
        assert other.json().get("code") != "idempotency-key-reused"
    else:
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert _rows(pool) == rows


def test_all_but_a_few_are_tried_like_that():
    assert {route for route in POSTS if min(CASES["POST", route].expected) >= 400} == ELSEWHERE


def test_a_key_at_another_address_is_another_request(client, login, blocks):
    owner = login("Owners")
    made = client.post("/submissions", json=NEW, headers=owner | KEY).json()
    answer = client.post(f"/submissions/{made['id']}/withdraw", headers=owner | KEY)
    assert answer.json()["code"] == "idempotency-key-reused"


def test_while_the_first_request_is_at_work_the_second_is_told_to_wait(client, login, blocks, pool):
    owner = login("Owners")
    with transaction(pool) as conn:  # holds what the first request waits for
        conn.execute("lock table submissions in exclusive mode")
        answers = []
        first = threading.Thread(
            target=lambda: answers.append(client.post("/submissions", json=NEW, headers=owner | KEY))
        )
        first.start()
        while not conn.execute("select 1 from pg_locks where locktype = 'advisory'").fetchone():
            pass
        second = client.post("/submissions", json=NEW, headers=owner | KEY)
    first.join()
    assert (second.status_code, second.json()["code"]) == (409, "idempotency-in-progress")
    assert int(second.headers["retry-after"]) > 0
    assert answers[0].status_code == 201
    third = client.post("/submissions", json=NEW, headers=owner | KEY)
    assert third.json() == answers[0].json()


def test_a_refused_request_leaves_its_key_free(client, login, blocks):
    owner = login("Owners")
    assert client.post("/submissions", json={**NEW, "benchmark": "nothing"}, headers=owner | KEY).status_code == 404
    assert client.post("/submissions", json=NEW, headers=owner | KEY).status_code == 201


def test_an_answer_is_kept_exactly_if_its_act_was_committed(client, login, blocks, pool):
    owner = login("Owners")
    with transaction(pool) as conn:
        conn.execute("create function no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$")
        conn.execute(
            "create constraint trigger no after insert on submissions deferrable initially deferred"
            " for each row execute function no()"
        )
    assert client.post("/submissions", json=NEW, headers=owner | KEY).status_code == 500
    assert _kept(pool) == []
    with transaction(pool) as conn:
        conn.execute("drop trigger no on submissions")
    assert client.post("/submissions", json=NEW, headers=owner | KEY).status_code == 201


def test_a_key_belongs_to_a_user_in_a_team_whichever_token_it_uses(client, login, blocks):
    first = client.post("/submissions", json=NEW, headers=login("Owners") | KEY)
    again = client.post("/submissions", json=NEW, headers=login("Owners") | KEY)
    other = client.post("/submissions", json=NEW, headers=login("Others") | KEY)
    assert first.json() == again.json()
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]


def test_another_member_of_the_team_has_keys_of_their_own(client, login, blocks, pool):
    owner = login("Owners")
    first = client.post("/submissions", json=NEW, headers=owner | KEY).json()
    with transaction(pool) as conn:
        member = users_store.signed_in(conn, issuer="https://idp.test", subject="member", name="Member")
        teams.add_member(conn, client.get("/me", headers=owner).json()["team"]["id"], member.id, role="member")
        conn.execute("update api_tokens set user_id = %s", (member.id,))
    second = client.post("/submissions", json=NEW, headers=owner | KEY)
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]


def test_a_page_may_repeat_what_it_sends_with_the_session(client, blocks, pool):
    assert client.post("/development/sign-in", json={"team": "Owners"}, headers=PAGE).status_code == 204
    first = client.post("/submissions", json=NEW, headers=PAGE | KEY)
    rows = _rows(pool)
    again = client.post("/submissions", json=NEW, headers=PAGE | KEY)
    assert (again.json(), again.headers[repeating.REPLAYED]) == (first.json(), "true")
    assert _rows(pool) == rows
    foreign = client.post("/submissions", json=NEW, headers=KEY | {"origin": "http://evil.test"})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "cross-site")


def test_a_sign_in_gives_its_session_to_who_asked_first(client, pool):
    wish = {"team": "Owners"}
    client.post("/development/sign-in", json=wish, headers=PAGE | KEY)
    secret = client.cookies["gsi_session"]
    client.cookies.clear()
    again = client.post("/development/sign-in", json=wish, headers=PAGE | KEY)
    assert (again.status_code, again.json()["code"]) == (409, "answer-shown-once")
    assert "gsi_session" not in client.cookies
    assert secret not in str(_kept(pool))


def test_an_answer_is_repeated_to_no_token_that_may_not_ask_for_it(client, login, blocks):
    owner = login("Owners")
    first = client.post("/submissions", json=NEW, headers=owner | KEY)
    assert first.status_code == 201
    made = client.post("/tokens", json={"name": "reader", "scopes": ["read"]}, headers=owner).json()
    reader = {"authorization": f"Bearer {made['token']}"}
    assert client.post("/submissions", json=NEW, headers=reader | KEY).status_code == 403


def test_a_key_is_forgotten_when_its_time_is_over(client, login, blocks, pool):
    owner = login("Owners")
    first = client.post("/submissions", json=NEW, headers=owner | KEY)
    with transaction(pool) as conn:
        assert repeating.forget_expired(conn) == 0
        conn.execute("update idempotency_keys set expires_at = now() - interval '1 second'")
    again = client.post("/submissions", json=NEW, headers=owner | KEY)
    assert again.json()["id"] != first.json()["id"]
    with transaction(pool) as conn:
        conn.execute("update idempotency_keys set expires_at = now() - interval '1 second'")
        assert repeating.forget_expired(conn) == 1
    assert _kept(pool) == []


@pytest.mark.parametrize("key", ["", "two words", "x" * 201, "ü"])
def test_a_key_that_is_none_is_refused(key, client, login, blocks):
    answer = client.post("/submissions", json=NEW, headers=login("Owners") | {"idempotency-key": key.encode()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "idempotency-key")


def test_neither_tokens_nor_signed_urls_are_kept(client, login, blocks, pool, storage):
    token = client.post("/development/login", json={"team": "Owners"}, headers=KEY).json()["token"]
    owner = login("Owners")
    with transaction(pool) as conn:
        submission = making.submission(conn, blocks)
        upload = begun(conn, storage, submission)
    wish = {"parts": [{"number": 1, "bytes": 1, "sha256": "0" * 64}]}
    path = f"/submissions/{submission}/uploads/{upload.id}/parts"
    signed = client.post(path, json=wish, headers=owner | KEY).json()["parts"][0]["url"]
    with transaction(pool) as conn:
        everything = str(conn.execute("select * from idempotency_keys").fetchall())
    assert token not in everything
    assert signed.rpartition("=")[2] not in everything


def test_a_process_that_shares_the_database_gives_the_same_answer(
    settings, queue, storage, pool, client, login, blocks
):

    owner = login("Owners")
    first = client.post("/submissions", json=NEW, headers=owner | KEY)
    other = create_app(settings, queue=queue, storage=storage, pool=pool)
    with TestClient(other, base_url="http://test/api/v1") as elsewhere:
        again = elsewhere.post("/submissions", json=NEW, headers=owner | KEY)
    assert (again.json(), again.headers[repeating.REPLAYED]) == (first.json(), "true")
