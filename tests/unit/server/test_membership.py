"""Teams, members and invitations: who may, and what never happens."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest

from server.db.pool import transaction
from server.teams import secrets, store, tokens_store, users_store
from tests.pages import walk

ORIGIN = {"origin": "http://test"}


class Person:
    """A user with a session of the website."""

    def __init__(self, client, user, secret):
        self.id, self._client = str(user.id), client
        self._headers = {**ORIGIN, "cookie": f"gsi_session={secret}"}

    def send(self, method, path, **body):
        self._client.cookies.clear()
        return self._client.request(method, path, json=None if method == "GET" else body, headers=self._headers)

    def get(self, path):
        return self.send("GET", path)


@pytest.fixture
def person(client, pool, settings):
    def make(name):
        secret = secrets.fresh(secrets.SESSION_PREFIX)
        with transaction(pool) as conn:
            user = users_store.signed_in(conn, issuer="https://idp.test", subject=name, name=name)
            hashed = secrets.hashed(settings, secret)
            lifetime = timedelta(days=settings.session_days)
            tokens_store.begin_session(conn, user.id, hashed=hashed, maintainer=False, lifetime=lifetime)
        return Person(client, user, secret)

    return make


@pytest.fixture
def ada(person):
    return person("Ada")


@pytest.fixture
def bert(person):
    return person("Bert")


@pytest.fixture
def team(ada):
    answer = ada.send("POST", "/teams", name="The Team")
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def _invited(owner, team, *guests, role="member"):
    for guest in guests:
        code = owner.send("POST", f"/teams/{team}/invitations", role=role).json()["code"]
        assert guest.send("POST", "/invitations/accept", code=code).status_code == 200


def _members(owner, team):
    return {one["name"]: one["role"] for one in owner.get(f"/teams/{team}/members").json()["members"]}


def test_who_makes_a_team_owns_it_and_acts_for_it(ada, team):
    me = ada.get("/me").json()
    assert me["team"] == {"id": team, "name": "The Team", "role": "owner"}
    assert me["role"] == "team"


def test_a_team_is_one_however_its_name_is_spelled(ada, bert, team):
    assert bert.send("POST", "/teams", name="the  TEAM").status_code == 409
    other = bert.send("POST", "/teams", name="Another").json()["id"]
    assert bert.send("PATCH", f"/teams/{other}", name="THE TEAM").status_code == 409
    assert ada.send("PATCH", f"/teams/{team}", name="THE TEAM").json()["name"] == "THE TEAM"


def test_a_user_makes_five_teams_at_most_also_by_leaving_them(ada, person):
    for number in range(5):
        made = ada.send("POST", "/teams", name=f"Team {number}").json()["id"]
        heir = person(f"Heir {number}")
        _invited(ada, made, heir, role="owner")
        assert ada.send("DELETE", f"/teams/{made}/members/{ada.id}").status_code == 204
    assert ada.send("POST", "/teams", name="One more").status_code == 429


def test_an_invitation_brings_one_person_in_and_is_used_up(ada, bert, team, person):
    made = ada.send("POST", f"/teams/{team}/invitations").json()
    assert made["link"].endswith(f"/account#invitation={made['code']}")
    offered = bert.send("POST", "/invitations/preview", code=made["code"]).json()
    assert (offered["team_name"], offered["role"], offered["invited_by"]) == ("The Team", "member", "Ada")
    assert bert.send("POST", "/invitations/accept", code=made["code"]).json()["role"] == "member"
    assert bert.get("/me").json()["team"]["id"] == team
    assert person("Cleo").send("POST", "/invitations/accept", code=made["code"]).status_code == 404
    (row,) = ada.get(f"/teams/{team}/invitations").json()["invitations"]
    assert row["accepted_by"] == "Bert"
    assert made["code"] not in str(row)


@pytest.mark.parametrize("how", ["revoked", "over", "wrong"])
def test_an_invitation_that_is_no_longer_good_brings_nobody_in(how, ada, bert, team, pool):
    made = ada.send("POST", f"/teams/{team}/invitations").json()
    if how == "revoked":
        assert ada.send("DELETE", f"/teams/{team}/invitations/{made['id']}").status_code == 204
    if how == "over":
        with transaction(pool) as conn:
            conn.execute("update invitations set expires_at = now()")
    code = "gsii_" + "x" * 43 if how == "wrong" else made["code"]
    for act in ("preview", "accept"):
        answer = bert.send("POST", f"/invitations/{act}", code=code)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert _members(ada, team) == {"Ada": "owner"}


def test_who_is_in_already_does_not_use_an_invitation_up(ada, bert, team):
    code = ada.send("POST", f"/teams/{team}/invitations").json()["code"]
    assert ada.send("POST", "/invitations/accept", code=code).status_code == 409
    assert bert.send("POST", "/invitations/accept", code=code).status_code == 200


def test_of_many_who_accept_one_invitation_at_once_one_gets_in(ada, team, person):
    code = ada.send("POST", f"/teams/{team}/invitations").json()["code"]
    guests = [person(f"Guest {number}") for number in range(6)]
    answers = _at_once([lambda guest=guest: guest.send("POST", "/invitations/accept", code=code) for guest in guests])
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 5
    assert len(_members(ada, team)) == 2


def test_an_invitation_accepted_while_it_is_revoked_is_one_of_the_two(ada, bert, team):
    made = ada.send("POST", f"/teams/{team}/invitations").json()
    accepted, revoked = _at_once(
        [
            lambda: bert.send("POST", "/invitations/accept", code=made["code"]),
            lambda: ada.send("DELETE", f"/teams/{team}/invitations/{made['id']}"),
        ]
    )
    assert (accepted.status_code, revoked.status_code) in {(200, 404), (404, 204)}
    assert ("Bert" in _members(ada, team)) == (accepted.status_code == 200)


def test_of_two_owners_who_leave_at_once_one_stays(ada, bert, team):
    _invited(ada, team, bert, role="owner")
    answers = _at_once([lambda one=one: one.send("DELETE", f"/teams/{team}/members/{one.id}") for one in (ada, bert)])
    assert sorted(answer.status_code for answer in answers) == [204, 409]


def _at_once(acts):
    answers, ready = [None] * len(acts), threading.Barrier(len(acts))

    def run(number):
        ready.wait()
        answers[number] = acts[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_the_last_owner_neither_leaves_nor_steps_down(ada, bert, team):
    _invited(ada, team, bert)
    for method, body in (("DELETE", {}), ("PATCH", {"role": "member"})):
        answer = ada.send(method, f"/teams/{team}/members/{ada.id}", **body)
        assert (answer.status_code, answer.json()["detail"]) == (409, "This is the team's last owner.")
    assert ada.send("PATCH", f"/teams/{team}/members/{bert.id}", role="owner").status_code == 204
    assert ada.send("DELETE", f"/teams/{team}/members/{ada.id}").status_code == 204
    assert _members(bert, team) == {"Bert": "owner"}


def test_a_member_submits_and_leaves_and_manages_nothing(ada, bert, team, blocks, person):
    cleo = person("Cleo")
    _invited(ada, team, bert, cleo)
    assert bert.send("POST", "/submissions", benchmark="blocks", model="m").status_code == 201
    refused = [
        bert.send("PATCH", f"/teams/{team}", name="Renamed"),
        bert.send("POST", f"/teams/{team}/invitations"),
        bert.get(f"/teams/{team}/invitations"),
        bert.send("PATCH", f"/teams/{team}/members/{bert.id}", role="owner"),
        bert.send("DELETE", f"/teams/{team}/members/{cleo.id}"),
        bert.send("DELETE", f"/teams/{team}/members/{ada.id}"),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert _members(bert, team) == {"Ada": "owner", "Bert": "member", "Cleo": "member"}
    assert bert.send("DELETE", f"/teams/{team}/members/{bert.id}").status_code == 204
    assert bert.get("/me").json()["role"] == "user"
    assert bert.get(f"/teams/{team}").status_code == 404


def test_who_is_put_out_loses_sight_of_the_team_at_once(ada, bert, team, blocks):
    _invited(ada, team, bert)
    ada.send("POST", "/submissions", benchmark="blocks", model="m")
    token = bert.send("POST", "/tokens", name="t", scopes=["read"]).json()["token"]
    assert len(bert.get("/submissions").json()["submissions"]) == 1
    ada.send("DELETE", f"/teams/{team}/members/{bert.id}")
    assert bert.get("/submissions").status_code == 403
    assert bert._client.get("/submissions", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_a_stranger_cannot_tell_a_team_from_none(ada, bert, team):
    real, none = (bert.get(f"/teams/{one}") for one in (team, "00000000-0000-0000-0000-000000000000"))
    assert {**real.json(), "request_id": ""} == {**none.json(), "request_id": ""}


def test_members_invitations_and_tokens_go_page_by_page(ada, person, team):
    for name in ("Bert", "Cleo", "Dora"):
        _invited(ada, team, person(name))
        ada.send("POST", "/tokens", name=name, scopes=["read"])
    members = _pages(ada, f"/teams/{team}/members", "members")
    assert [one["name"] for one in members] == ["Ada", "Bert", "Cleo", "Dora"]
    invitations = _pages(ada, f"/teams/{team}/invitations", "invitations")
    assert [one["accepted_by"] for one in invitations] == ["Dora", "Cleo", "Bert"]
    assert [one["name"] for one in _pages(ada, "/tokens", "tokens")] == ["Dora", "Cleo", "Bert"]


def test_users_go_page_by_page(person, client, maintainer):
    for name in ("Ada", "Bert", "Cleo"):
        person(name)
    found = [one["name"] for page in walk(client, "/users?limit=2", maintainer) for one in page["users"]]
    assert found == ["Cleo", "Bert", "Ada", "Maintainer"]


def _pages(who, path, key):
    found, cursor = [], ""
    while cursor is not None:
        page = who.get(f"{path}?limit=1" + (f"&cursor={cursor}" if cursor else "")).json()
        assert len(page[key]) == 1
        found += page[key]
        cursor = page["next_cursor"]
    return found


def test_50_invitations_may_be_open(ada, team, pool):
    with transaction(pool) as conn:
        for number in range(50):
            store.invite(
                conn,
                UUID(team),
                role="member",
                hashed=str(number).encode(),
                invited_by=UUID(ada.id),
                lifetime=timedelta(days=1),
            )
    assert ada.send("POST", f"/teams/{team}/invitations").status_code == 429
