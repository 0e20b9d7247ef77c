from __future__ import annotations

import threading

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from server.app import create_app
from server.db.pool import transaction


def _sign_in(client, **body):
    return client.post("/development/login", json=body)


def _tokens(pool):
    with transaction(pool) as conn:
        return conn.execute("select prefix, hash, team_id, role::text from api_tokens").fetchall()


@pytest.fixture
def client_with(queue, storage, pool, settings):
    def make(**changes):
        app = create_app(settings.model_copy(update=changes), queue=queue, storage=storage, pool=pool)
        return TestClient(app, base_url="http://test/api/v1", raise_server_exceptions=False)

    return make


def test_a_team_signs_in_by_name_and_is_known_by_its_token(client):
    told = _sign_in(client, team="  The Team ").json()
    assert told["team"]["name"] == "The Team"
    answer = client.get("/submissions", headers={"authorization": f"Bearer {told['token']}"})
    assert answer.status_code == 200


def test_a_name_stands_for_one_team_whatever_its_case(client):
    first, again = _sign_in(client, team="Team").json(), _sign_in(client, team="TEAM").json()
    assert first["team"] == again["team"]
    assert first["token"] != again["token"]


@pytest.mark.parametrize("spelling", ["the team", "The  Team", "The\u00a0Team", "\uff34he Team"])
def test_a_team_is_one_however_its_name_is_spelled(spelling, client):
    assert _sign_in(client, team="The Team").json()["team"] == _sign_in(client, team=spelling).json()["team"]


def test_first_sign_ins_at_once_make_one_team(client):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(_sign_in(client, team="Team").json()["team"]["id"]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_maintainer_has_no_team(client):
    assert _sign_in(client, maintainer=True).json()["team"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"team": "x"},
        {"team": "x" * 61},
        {"team": "<b>x</b>"},
        {"team": "a\nb"},
        {"team": "a\x00b"},
        {"team": "The\u200bTeam"},
        {"team": "\u200b\u200b"},
        {"team": "\uff1cb\uff1e"},
        {"team": "\u00a0x\u2003"},
        {"team": "Team", "maintainer": True},
        {"maintainer": False},
        {"team": "Team", "role": "maintainer"},
    ],
)
def test_a_sign_in_that_makes_no_sense_is_refused(body, client):
    assert _sign_in(client, **body).status_code == 422


def test_the_token_itself_is_nowhere_in_the_database(client, pool):
    token = _sign_in(client, team="Team").json()["token"]
    ((prefix, hashed, _, role),) = _tokens(pool)
    assert (len(hashed), role) == (32, "team")
    assert token.startswith(prefix)
    assert len(prefix) < len(token) / 3


def test_a_token_ends_when_its_time_is_over(client, pool):
    headers = {"authorization": f"Bearer {_sign_in(client, team='Team').json()['token']}"}
    with transaction(pool) as conn:
        conn.execute("update api_tokens set expires_at = now() - interval '1 second'")
    assert client.get("/submissions", headers=headers).status_code == 401


def test_another_secret_key_ends_every_token(client, client_with):
    headers = {"authorization": f"Bearer {_sign_in(client, team='Team').json()['token']}"}
    with client_with(secret_key=SecretStr("another key")) as other:
        assert other.get("/submissions", headers=headers).status_code == 401


def test_without_development_logins_the_address_does_not_exist(client_with, pool):
    with client_with(development_login=False) as closed:
        for body in ({"team": "Team"}, {"maintainer": True}):
            assert _sign_in(closed, **body).status_code == 404
    assert _tokens(pool) == []
