"""Every JSON answer to a read can be asked for again at the cost of a header."""

from __future__ import annotations

import pytest

from server.db.pool import transaction
from server.submissions import store
from server.submissions.lifecycle import State
from tests import making

READS = ("/benchmarks", "/benchmarks/blocks", "/baselines", "/submissions", "/benchmarks/blocks/leaderboard")


@pytest.fixture
def owner(login):
    return login("Owners")


@pytest.mark.parametrize("path", READS)
def test_a_read_that_has_not_changed_is_answered_without_a_body(path, client, owner, blocks):
    first = client.get(path, headers=owner)
    assert first.status_code == 200, first.text
    again = client.get(path, headers={**owner, "if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-request-id"]
    assert client.get(path, headers={**owner, "if-none-match": '"another"'}).json() == first.json()


def test_a_submission_that_moved_on_is_sent_anew(client, owner, blocks, pool):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING)
    first = client.get(f"/submissions/{made}", headers=owner)
    assert "private" in first.headers["cache-control"]
    again = {**owner, "if-none-match": first.headers["etag"]}
    assert client.get(f"/submissions/{made}", headers=again).status_code == 304
    with transaction(pool) as conn:
        store.move(conn, made, State.SCORED)
    assert client.get(f"/submissions/{made}", headers=again).json()["state"] == "scored"


def test_two_readers_of_one_address_have_tags_of_their_own(client, login, blocks, pool):
    with transaction(pool) as conn:
        making.submission(conn, blocks)
    tags = {client.get("/submissions", headers=login(team)).headers["etag"] for team in ("Owners", "Others")}
    assert len(tags) == 2


def test_a_refusal_and_what_may_not_be_kept_have_no_tag(client, owner, blocks):
    assert "etag" not in client.get("/submissions/not-a-uuid", headers=owner).headers
    assert "etag" not in client.get("/benchmarks/blocks/quota", headers=owner).headers


def test_head_tells_the_tag_too(client, owner, blocks):
    assert client.head("/benchmarks").headers["etag"] == client.get("/benchmarks").headers["etag"]
