"""What tokens and sessions may be used for: scopes, lifetimes, revocation, and nothing beyond the team."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from starlette.requests import HTTPConnection

from server.db.pool import transaction
from server.http import cookies
from server.teams import store, users_store

ORIGIN = {"origin": "http://test"}


@pytest.fixture
def token(client, login):
    """A function that makes a token of the team Lab with these scopes; its headers and what was told of it."""
    owner = login("Lab")

    def make(*scopes, headers=owner, **more):
        answer = client.post("/tokens", json={"name": "a token", "scopes": scopes, **more}, headers=headers)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        return {"authorization": f"Bearer {made['token']}"}, made

    return make


@pytest.fixture
def session(client):
    """The client has a session of the website, for the team Lab."""
    assert client.post("/development/sign-in", json={"team": "Lab"}, headers=ORIGIN).status_code == 204
    return client


def test_a_token_is_told_once_and_kept_as_a_hash(client, login, token, pool):
    _, made = token("read", days=3)
    listed = client.get("/tokens", headers=login("Lab"))
    assert made["token"] not in listed.text
    assert made["token"].startswith(made["prefix"])
    with transaction(pool) as conn:
        rows = conn.execute("select row_to_json(api_tokens)::text from api_tokens").fetchall()
    assert made["token"] not in str(rows)


def test_a_token_lasts_90_days_at_most_and_no_longer_than_it_was_asked_for(client, login, token):
    days = [_days(token("read")[1]), _days(token("read", days=3)[1])]
    assert days == [90, 3]
    answer = client.post("/tokens", json={"name": "t", "scopes": ["read"], "days": 91}, headers=login("Lab"))
    assert answer.status_code == 422


def _days(made):
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    return round(lasts / timedelta(days=1))


@pytest.mark.parametrize(
    ("scope", "allowed"), [("read", {"read"}), ("submit", {"submit"}), ("admin", {"admin"})], ids=str
)
def test_a_token_does_what_its_scopes_say_and_nothing_else(scope, allowed, client, token, blocks):
    headers, _ = token(scope)
    tries = {
        "read": client.get("/submissions", headers=headers),
        "submit": client.post("/submissions", json={"benchmark": "blocks", "model": "m"}, headers=headers),
        "admin": client.post("/tokens", json={"name": "t", "scopes": [scope]}, headers=headers),
    }
    assert {name for name, answer in tries.items() if answer.is_success} == allowed
    refused = [answer for answer in tries.values() if not answer.is_success]
    assert {answer.status_code for answer in refused} == {403}
    assert all("lacks the scope" in answer.json()["detail"] for answer in refused)


def test_a_reading_token_uploads_nothing(client, token, blocks):
    submitter, _ = token("submit", "read")
    made = client.post("/submissions", json={"benchmark": "blocks", "model": "m"}, headers=submitter).json()
    reader, _ = token("read")
    path, zipped = f"/submissions/{made['id']}/archive", {"content-type": "application/zip"}
    assert client.put(path, content=b"PK", headers={**reader, **zipped}).status_code == 403
    assert client.put(path, content=b"PK", headers={**submitter, **zipped}).status_code == 202


def test_whoever_finds_a_token_gains_nothing_by_making_more(client, login, token):
    narrow, found = token("admin", "read", days=2)
    wider = client.post("/tokens", json={"name": "t", "scopes": ["read", "submit"]}, headers=narrow)
    assert wider.status_code == 403
    _, again = token("read", headers=narrow)
    assert again["expires_at"] == found["expires_at"]
    elsewhere = client.get("/me", headers=login("Others")).json()["team"]["id"]
    other = client.post("/tokens", json={"name": "t", "scopes": ["read"], "team": elsewhere}, headers=narrow)
    assert other.status_code == 403


def test_a_revoked_token_is_over_at_once_and_stays_in_the_list(client, login, token):
    headers, made = token("read")
    assert client.get("/me", headers=headers).status_code == 200
    assert client.delete(f"/tokens/{made['id']}", headers=login("Lab")).status_code == 204
    assert client.get("/me", headers=headers).status_code == 401
    (row,) = [each for each in client.get("/tokens", headers=login("Lab")).json()["tokens"] if each["id"] == made["id"]]
    assert row["revoked_at"] is not None


def test_the_last_use_is_written_once_an_hour_and_not_at_every_request(client, token, pool):
    headers, made = token("read")
    for _ in range(3):
        client.get("/me", headers=headers)
    with transaction(pool) as conn:
        (first,) = conn.execute("select used_at from api_tokens where id = %s", (made["id"],)).fetchone()
        conn.execute("update api_tokens set used_at = now() - interval '59 minutes'")
    client.get("/me", headers=headers)
    with transaction(pool) as conn:
        (kept,) = conn.execute("select now() - used_at > interval '58 minutes' from api_tokens limit 1").fetchone()
        conn.execute("update api_tokens set used_at = now() - interval '61 minutes'")
    client.get("/me", headers=headers)
    with transaction(pool) as conn:
        (later,) = conn.execute("select used_at from api_tokens where id = %s", (made["id"],)).fetchone()
    assert kept
    assert later > first


def test_a_token_ends_when_its_user_leaves_the_team(client, token, pool):
    headers, _ = token("read")
    with transaction(pool) as conn:
        conn.execute("delete from team_members")
    assert client.get("/me", headers=headers).status_code == 401


def test_a_user_has_50_tokens_at_most(client, login, pool):
    headers = login("Lab")
    with transaction(pool) as conn:
        conn.execute(
            "insert into api_tokens (user_id, team_id, role, name, scopes, prefix, hash, expires_at)"
            " select user_id, team_id, role, 'x', scopes, 'x', sha256(n::text::bytea), expires_at"
            " from api_tokens, generate_series(1, 49) n"
        )
    assert client.post("/tokens", json={"name": "t", "scopes": ["read"]}, headers=headers).status_code == 429


def test_a_session_may_do_what_its_user_may(session, blocks):
    assert session.get("/me").json()["scopes"] == ["admin", "read", "submit"]
    made = session.post("/submissions", json={"benchmark": "blocks", "model": "m"}, headers=ORIGIN)
    assert made.status_code == 201


FOREIGN = [
    {},
    {"origin": "http://evil.test"},
    {"origin": "http://test.evil.test"},
    {"origin": "http://evil.test/http://test"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": "http://evil.test", "sec-fetch-site": "same-origin"},
    {"origin": "http://sub.test", "sec-fetch-site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_other_site_changes_anything_with_a_readers_session(headers, session, blocks):
    me = session.get("/me").json()
    tries = [
        session.post("/submissions", json={"benchmark": "blocks", "model": "m"}, headers=headers),
        session.patch(f"/teams/{me['team']['id']}", json={"name": "Taken over"}, headers=headers),
        session.put("/me/acting", json={}, headers=headers),
        session.post("/tokens", json={"name": "t", "scopes": ["read"]}, headers=headers),
        session.delete(f"/teams/{me['team']['id']}/members/{me['id']}", headers=headers),
        session.post("/sign-out", headers=headers),
        session.put("/submissions/00000000-0000-0000-0000-000000000000/archive", content=b"PK", headers=headers),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in tries} == {(403, "cross-site")}
    assert session.get("/me").json() == me
    assert session.get("/submissions").json()["submissions"] == []


@pytest.mark.parametrize("headers", [ORIGIN, {"sec-fetch-site": "same-origin"}, {"origin": "http://127.0.0.1:8000"}])
def test_the_sites_own_pages_do(headers, session):
    assert session.put("/me/acting", json={}, headers=headers).status_code == 204


@pytest.mark.parametrize(("origin", "ours"), [("https://gsi.test", True), ("http://gsi.test", False)])
def test_a_page_that_came_over_http_does_not_speak_for_a_service_on_https(origin, ours):
    sent = [(b"host", b"gsi.test"), (b"origin", origin.encode())]
    request = HTTPConnection({"type": "http", "method": "POST", "headers": sent})
    if ours:
        cookies.check_same_origin(request, public_url="https://gsi.test")
    else:
        with pytest.raises(cookies.CrossSiteError):
            cookies.check_same_origin(request, public_url="https://gsi.test")


def test_a_token_needs_no_origin_because_no_site_can_send_it(session, token):
    headers, _ = token("read", "admin")
    answer = session.post("/tokens", json={"name": "t", "scopes": ["read"]}, headers={**headers, "origin": "http://x"})
    assert answer.status_code == 201


def test_signing_out_ends_the_session_for_good(session):
    kept = session.cookies["gsi_session"]
    assert session.post("/sign-out", headers=ORIGIN).status_code == 204
    assert "gsi_session" not in session.cookies
    session.cookies["gsi_session"] = kept
    assert session.get("/me").status_code == 401


def test_signing_out_everywhere_ends_every_session(session, client):
    first = session.cookies["gsi_session"]
    client.post("/development/sign-in", json={"team": "Lab"}, headers=ORIGIN)
    assert client.post("/sign-out?everywhere=true", headers=ORIGIN).status_code == 204
    client.cookies["gsi_session"] = first
    assert client.get("/me").status_code == 401


def test_a_session_ends_when_its_time_is_over(session, pool):
    with transaction(pool) as conn:
        conn.execute("update sessions set expires_at = now()")
    assert session.get("/me").status_code == 401


def test_whoever_is_in_no_team_sees_no_submission(session, pool, blocks):
    session.post("/submissions", json={"benchmark": "blocks", "model": "m"}, headers=ORIGIN)
    session.put("/me/acting", json={}, headers=ORIGIN)
    assert session.get("/me").json()["role"] == "user"
    assert session.get("/submissions").status_code == 403
    answer = session.post("/submissions", json={"benchmark": "blocks", "model": "m"}, headers=ORIGIN)
    assert answer.status_code == 403


def test_nobody_acts_for_a_team_that_is_not_theirs_or_as_a_maintainer_they_are_not(session, login, client):
    others = client.get("/me", headers=login("Others")).json()["team"]["id"]
    assert session.put("/me/acting", json={"team": others}, headers=ORIGIN).status_code == 404
    assert session.put("/me/acting", json={"maintainer": True}, headers=ORIGIN).status_code == 403


def test_a_maintainer_is_made_and_unmade_by_another_and_the_log_says_so(client, maintainer, pool):
    with transaction(pool) as conn:
        user = users_store.signed_in(conn, issuer="https://idp.test", subject="x", name="X")
    path = f"/users/{user.id}/maintainer"
    for act in (client.put, client.put, client.delete):
        assert act(path, headers=maintainer).status_code == 204
    acts = [(one["action"], one["subject"]) for one in client.get("/audit", headers=maintainer).json()["audit"]]
    assert acts == [("maintainer.withdrawn", str(user.id)), ("maintainer.granted", str(user.id))]


def test_a_maintainers_token_ends_with_the_right(client, login, pool, maintainer):
    owner = client.get("/me", headers=login("Lab")).json()
    with transaction(pool) as conn:
        conn.execute("update users set issuer = 'https://idp.test', maintainer = true where id = %s", (owner["id"],))
        assert store.role_of(conn, owner["team"]["id"], owner["id"]) == "owner"
    client.post("/development/sign-in", json={"team": "Lab"}, headers=ORIGIN)
    with transaction(pool) as conn:
        conn.execute("update sessions set user_id = %s", (owner["id"],))
    made = client.post("/tokens", json={"name": "m", "scopes": ["admin"], "maintainer": True}, headers=ORIGIN).json()
    headers = {"authorization": f"Bearer {made['token']}"}
    client.cookies.clear()
    assert client.get("/audit", headers=headers).status_code == 200
    client.delete(f"/users/{owner['id']}/maintainer", headers=maintainer)
    assert client.get("/audit", headers=headers).status_code == 401
