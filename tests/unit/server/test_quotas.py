"""How much a team may submit: counted from what it has submitted, one slot for one submission."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from server.db.pool import transaction
from server.submissions import store
from server.submissions.lifecycle import AT_WORK, COST_NOTHING, State
from tests import making

BODY = {"benchmark": "blocks", "model": "m"}


@pytest.fixture
def limits(client, maintainer, blocks):
    """Sets the limits of the benchmark."""

    def set_to(**changes):
        answer = client.patch("/benchmarks/blocks/quota-limits", json=changes, headers=maintainer)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return set_to


@pytest.fixture
def owners(login):
    return login("Owners")


def _quota(client, headers):
    answer = client.get("/benchmarks/blocks/quota", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_team_reads_what_is_left_and_when_the_day_begins_anew(client, limits, owners):
    limits(per_day=5, total=7, at_once=None)
    client.post("/submissions", json=BODY, headers=owners)
    quota = _quota(client, owners)
    assert quota["per_day"] == {"limit": 5, "used": 1, "remaining": 4}
    assert quota["total"] == {"limit": 7, "used": 1, "remaining": 6}
    assert quota["at_once"] == {"limit": None, "used": 1, "remaining": None}
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert quota["resets_at"].startswith(f"{tomorrow}T00:00:00")


def test_of_fifty_submissions_at_once_for_one_slot_one_gets_it(client, limits, owners):
    limits(per_day=1)
    with ThreadPoolExecutor(max_workers=50) as threads:
        answers = list(threads.map(lambda _: client.post("/submissions", json=BODY, headers=owners), range(50)))
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(refused) == 49
    for answer in refused:
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "quota-exhausted"
        assert 0 < int(answer.headers["retry-after"]) <= 24 * 3600
    assert len(client.get("/submissions", headers=owners).json()["submissions"]) == 1


@pytest.mark.parametrize(("kind", "words"), [("per_day", "today"), ("total", "all its"), ("at_once", "under way")])
def test_each_quota_says_what_is_used_up_and_what_to_do(kind, words, client, limits, owners):
    limits(**{kind: 1})
    assert client.post("/submissions", json=BODY, headers=owners).status_code == 201
    answer = client.post("/submissions", json=BODY, headers=owners)
    assert answer.status_code == 429
    assert words in answer.json()["detail"]
    assert answer.json()["remedy"]
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("state", State)
def test_a_submission_counts_unless_it_was_rejected_or_failed_or_never_accepted(
    state, client, limits, owners, pool, blocks
):
    limits(per_day=5, total=5, at_once=5)
    with transaction(pool) as conn:
        making.submission(conn, blocks, state=state)
    quota = _quota(client, owners)
    counts = state not in COST_NOTHING and state is not State.WITHDRAWN
    assert quota["per_day"]["used"] == quota["total"]["used"] == int(counts)
    assert quota["at_once"]["used"] == int(state in AT_WORK)


def test_withdrawing_what_was_accepted_does_not_give_the_quota_back(client, limits, owners, pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORED)
        store.move(conn, made, State.WITHDRAWN)
    assert _quota(client, owners)["total"]["used"] == 1


def test_a_slot_that_was_given_back_can_be_taken_again(client, limits, owners, pool):
    limits(per_day=1)
    first = client.post("/submissions", json=BODY, headers=owners).json()["id"]
    assert client.post("/submissions", json=BODY, headers=owners).status_code == 429
    assert client.post(f"/submissions/{first}/withdraw", headers=owners).status_code == 200
    assert client.post("/submissions", json=BODY, headers=owners).status_code == 201


def test_yesterdays_submissions_do_not_count_for_today(client, limits, owners, pool, blocks):
    limits(per_day=1)
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORED)
        conn.execute("update submissions set created_at = now() - interval '1 day' where id = %s", (made,))
    quota = _quota(client, owners)
    assert quota["per_day"]["used"] == 0
    assert quota["total"]["used"] == 1


def test_a_repeated_request_gets_its_submission_however_much_is_used_up(client, limits, owners):
    limits(per_day=1)
    headers = {**owners, "idempotency-key": "once"}
    first = client.post("/submissions", json=BODY, headers=headers)
    again = client.post("/submissions", json=BODY, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]


def test_the_quotas_of_teams_and_of_benchmarks_are_apart(client, limits, owners, login):
    limits(per_day=1)
    assert client.post("/submissions", json=BODY, headers=owners).status_code == 201
    assert client.post("/submissions", json=BODY, headers=login("Others")).status_code == 201


def test_a_grant_adds_to_the_limit_until_it_is_revoked(client, limits, owners, maintainer):
    limits(per_day=0)
    assert client.post("/submissions", json=BODY, headers=owners).status_code == 429
    grant = {"team": "owners", "benchmark": "blocks", "kind": "per_day", "extra": 2, "reason": "camera-ready"}
    granted = client.post("/quota-grants", json=grant, headers=maintainer)
    assert granted.status_code == 201, granted.text
    assert _quota(client, owners)["per_day"] == {"limit": 2, "used": 0, "remaining": 2}
    assert client.post("/submissions", json=BODY, headers=owners).status_code == 201
    revoked = client.post(f"/quota-grants/{granted.json()['id']}/revoke", headers=maintainer)
    assert revoked.json()["revoked_at"]
    assert _quota(client, owners)["per_day"] == {"limit": 0, "used": 1, "remaining": 0}
    again = client.post(f"/quota-grants/{granted.json()['id']}/revoke", headers=maintainer)
    assert again.status_code == 409


def test_an_expired_grant_grants_nothing(client, limits, owners, maintainer, pool):
    limits(total=0)
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    grant = {"team": "Owners", "benchmark": "blocks", "kind": "total", "extra": 1, "reason": "a day"}
    grant["expires_at"] = later
    assert client.post("/quota-grants", json=grant, headers=maintainer).status_code == 201
    assert _quota(client, owners)["total"]["limit"] == 1
    with transaction(pool) as conn:
        conn.execute("update quota_grants set expires_at = now() - interval '1 second'")
    assert _quota(client, owners)["total"]["limit"] == 0


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"team": "Nobody"}, 404),
        ({"benchmark": "nothing"}, 404),
        ({"extra": 0}, 422),
        ({"kind": "per_week"}, 422),
        ({"reason": ""}, 422),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422),
        ({"expires_at": "2030-01-01T00:00:00"}, 422),
    ],
)
def test_a_grant_that_cannot_be_is_refused_and_leaves_nothing(change, status, client, limits, owners, maintainer):
    grant = {"team": "Owners", "benchmark": "blocks", "kind": "total", "extra": 1, "reason": "why not", **change}
    assert client.post("/quota-grants", json=grant, headers=maintainer).status_code == status
    assert client.get("/quota-grants", headers=maintainer).json()["grants"] == []


def test_maintainers_acts_on_quotas_are_in_the_audit_log(client, limits, owners, maintainer):
    limits(per_day=3)
    grant = {"team": "Owners", "benchmark": "blocks", "kind": "total", "extra": 1, "reason": "why not"}
    made = client.post("/quota-grants", json=grant, headers=maintainer).json()["id"]
    client.post(f"/quota-grants/{made}/revoke", headers=maintainer)
    acts = client.get("/audit", headers=maintainer).json()["audit"]
    found = {act["action"]: act for act in acts}
    assert {"quota.limits", "quota.grant", "quota.revoke"} <= set(found)
    assert found["quota.limits"]["detail"]["per_day"]["to"] == 3
    assert found["quota.grant"]["detail"]["reason"] == "why not"


def test_limits_that_are_not_named_stay_as_they_were(limits):
    before = limits(per_day=3)
    assert limits(total=None) == {**before, "total": None}


def test_a_maintainer_names_the_team_whose_quota_it_asks_for(client, limits, owners, maintainer):
    assert client.get("/benchmarks/blocks/quota", headers=maintainer).status_code == 422
    assert client.get("/benchmarks/blocks/quota", params={"team": "OWNERS"}, headers=maintainer).status_code == 200
    assert client.get("/benchmarks/blocks/quota", params={"team": "Nobody"}, headers=maintainer).status_code == 404
