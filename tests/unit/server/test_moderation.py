"""Embargoes, hidden and disqualified entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.db.pool import transaction
from server.submissions import service, store
from server.submissions.lifecycle import State
from tests import making

MODEL = "Embargoed-Model-9"
REASON = {"reason": "trained on the test set"}


@pytest.fixture
def made(pool, blocks):
    """A submission in the state wanted."""

    def make(state, **more):
        with transaction(pool) as conn:
            return making.submission(conn, blocks, state=state, model=MODEL, numbers=making.everywhere(55.5), **more)

    return make


@pytest.fixture
def owner(login):
    return login("Owners")


def _in(**delta):
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


def _board(client):
    return client.get("/benchmarks/blocks/leaderboard").text


def test_an_embargoed_submission_is_nobodys_to_see_until_its_day(client, made, owner, login, pool):
    submission = made(State.SCORED)
    answer = client.post(f"/submissions/{submission}/publish", json={"embargo_until": _in(days=3)}, headers=owner)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "embargoed"
    assert answer.json()["embargo_until"]
    assert answer.json()["results"]["blocks-room"]["all"]["avg"] == 55.5
    assert MODEL not in _board(client)
    assert client.get(f"/submissions/{submission}", headers=login("Others")).status_code == 404
    with transaction(pool) as conn:
        assert service.publish_due(conn) == []


def test_the_sweep_publishes_what_has_come_to_its_day_once(client, made, pool):
    submission = made(State.EMBARGOED, embargo_until=datetime.now(UTC) - timedelta(seconds=1))
    with transaction(pool) as conn:
        assert service.publish_due(conn) == [submission]
    with transaction(pool) as conn:
        assert service.publish_due(conn) == []
        events = store.events(conn, submission)
    assert MODEL in _board(client)
    assert [event.state for event in events].count(State.PUBLISHED) == 1


def test_an_embargo_can_be_moved_taken_back_and_cut_short(client, made, owner):
    submission = made(State.EMBARGOED, embargo_until=datetime.now(UTC) + timedelta(days=1))
    moved = client.post(f"/submissions/{submission}/publish", json={"embargo_until": _in(days=9)}, headers=owner)
    assert moved.json()["state"] == "embargoed"
    assert client.post(f"/submissions/{submission}/unpublish", headers=owner).json()["state"] == "scored"
    client.post(f"/submissions/{submission}/publish", json={"embargo_until": _in(days=9)}, headers=owner)
    cut = client.post(f"/submissions/{submission}/publish", headers=owner).json()
    assert (cut["state"], cut["embargo_until"]) == ("published", None)


@pytest.mark.parametrize("until", ["-1 day", "400 days", "2030-01-01", "tomorrow", "2027-01-01T00:00:00"])
def test_a_day_that_is_no_embargo_is_refused_and_changes_nothing(until, client, made, owner):
    submission = made(State.SCORED)
    sent = _in(days=int(until.split()[0])) if until.endswith(("day", "days")) else until
    answer = client.post(f"/submissions/{submission}/publish", json={"embargo_until": sent}, headers=owner)
    assert answer.status_code == 422
    assert client.get(f"/submissions/{submission}", headers=owner).json()["state"] == "scored"


def test_a_hidden_entry_leaves_the_board_and_its_team_reads_why_and_cannot_undo_it(client, made, owner, maintainer):
    submission = made(State.PUBLISHED)
    hidden = client.post(f"/submissions/{submission}/hide", json=REASON, headers=maintainer)
    assert hidden.json()["state"] == "delisted"
    assert MODEL not in _board(client)
    assert client.get(f"/submissions/{submission}").status_code == 404
    seen = client.get(f"/submissions/{submission}", headers=owner).json()
    assert seen["moderation_reason"] == REASON["reason"]
    assert seen["results"]
    for verb in ("publish", "unpublish"):
        assert client.post(f"/submissions/{submission}/{verb}", headers=owner).status_code == 409
    shown = client.post(f"/submissions/{submission}/show", json={"reason": "cleared"}, headers=maintainer)
    assert (shown.json()["state"], shown.json()["moderation_reason"]) == ("published", None)
    assert MODEL in _board(client)


@pytest.mark.parametrize("state", [State.SCORED, State.EMBARGOED, State.PUBLISHED, State.DELISTED])
def test_a_disqualified_result_counts_again_only_when_a_maintainer_says_so(state, client, made, owner, maintainer):
    submission = made(state, embargo_until=datetime.now(UTC) + timedelta(days=1))
    gone = client.post(f"/submissions/{submission}/disqualify", json=REASON, headers=maintainer)
    assert gone.json()["state"] == "disqualified"
    assert MODEL not in _board(client)
    assert client.post(f"/submissions/{submission}/publish", headers=owner).status_code == 409
    assert client.get(f"/submissions/{submission}", headers=owner).json()["moderation_reason"] == REASON["reason"]
    back = client.post(f"/submissions/{submission}/reinstate", json={"reason": "cleared"}, headers=maintainer)
    assert back.json()["state"] == "scored"
    assert client.post(f"/submissions/{submission}/publish", headers=owner).json()["state"] == "published"


def test_moderation_needs_a_reason_and_is_in_the_audit_log_with_it(client, made, maintainer):
    submission = made(State.PUBLISHED)
    for body in ({}, {"reason": "  "}, {"reason": "x" * 501}):
        assert client.post(f"/submissions/{submission}/hide", json=body, headers=maintainer).status_code == 422
    client.post(f"/submissions/{submission}/hide", json=REASON, headers=maintainer)
    act = client.get("/audit", headers=maintainer).json()["audit"][0]
    assert (act["action"], act["subject"], act["detail"]) == ("submission.hide", str(submission), REASON)


@pytest.mark.parametrize("verb", ["hide", "show", "disqualify", "reinstate"])
def test_an_act_that_the_state_does_not_allow_is_a_conflict_and_not_in_the_log(verb, client, made, maintainer):
    submission = made(State.CREATED)
    answer = client.post(f"/submissions/{submission}/{verb}", json=REASON, headers=maintainer)
    assert answer.status_code == 409
    acts = client.get("/audit", headers=maintainer).json()["audit"]
    assert [act for act in acts if act["subject"] == str(submission)] == []


def test_an_entry_that_was_hidden_keeps_the_day_of_its_publication(client, made, owner, maintainer):
    submission = made(State.PUBLISHED)
    first = client.get(f"/submissions/{submission}", headers=owner).json()["published_at"]
    client.post(f"/submissions/{submission}/hide", json=REASON, headers=maintainer)
    client.post(f"/submissions/{submission}/show", json=REASON, headers=maintainer)
    assert client.get(f"/submissions/{submission}", headers=owner).json()["published_at"] == first
