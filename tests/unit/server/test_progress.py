"""How far a submission is: the place in the queue, what is done, when it may be ready; asked for or streamed."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import httpx
import pytest

from server.db.pool import transaction
from server.errors import BusyError
from server.submissions import store
from server.submissions.lifecycle import State
from server.submissions.progress import store as progress
from server.submissions.progress.watching import Watching
from tests import making
from tests.serving import served

SUBSETS = ("blocks-tabletop", "blocks-room")


@pytest.fixture
def owner(login):
    return login("Owners")


def _run(conn, submission, subset, *, state, seconds=None, done=0, owner_name=None):
    conn.execute(
        "insert into runs (submission_id, subset, attempt, protocol, benchmark_version, state, done, total, stage,"
        " started_at, finished_at, lease_owner) select id, %s, 1, protocol, benchmark_version, %s::run_state, %s, 2,"
        " 'measure', now() - make_interval(secs => %s), case when %s::run_state = 'succeeded' then now() end, %s"
        " from submissions where id = %s",
        (subset, state, done, seconds or 0, state, owner_name, submission),
    )


def _history(pool, blocks, seconds):
    """Earlier submissions, whose runs of two samples each took so long."""
    for each in seconds:
        with transaction(pool) as conn:
            old = making.submission(conn, blocks, state=State.SCORED, team="Before")
            for subset in SUBSETS:
                _run(conn, old, subset, state="succeeded", seconds=each)


def _get(client, submission, headers):
    answer = client.get(f"/submissions/{submission}/progress", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_waiting_check_says_how_many_are_before_it(client, owner, pool, blocks):
    with transaction(pool) as conn:
        making.submission(conn, blocks, state=State.UPLOADED, team="Before")
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.UPLOADED)
    assert _get(client, made, owner)["position"] == 1


def test_a_waiting_run_says_how_many_are_before_it_and_when_it_may_be_ready(client, owner, pool, blocks):
    _history(pool, blocks, [20] * 10)
    with transaction(pool) as conn:
        first = making.submission(conn, blocks, state=State.QUEUED, team="Before")
        for subset in SUBSETS:
            _run(conn, first, subset, state="queued")
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.QUEUED)
        for subset in SUBSETS:
            _run(conn, made, subset, state="queued")
    found = _get(client, made, owner)
    assert (found["position"], found["done"], found["total"]) == (2, 0, 4)
    assert found["estimate"] == {"p50": 80, "p90": 80}, "two runs of 20 s before ours, two of our own, one worker"


def test_the_estimate_follows_the_history_the_work_left_and_the_workers(client, owner, pool, blocks):
    _history(pool, blocks, [10, 10, 10, 10, 10, 10, 10, 10, 40, 40])
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING)
        _run(conn, made, SUBSETS[0], state="running", done=1, owner_name="one")
        _run(conn, made, SUBSETS[1], state="running", done=0, owner_name="two")
    found = _get(client, made, owner)
    assert (found["done"], found["total"], found["position"], found["stage"]) == (1, 4, 0, "measure")
    assert found["estimate"]["p50"] == 8, "three samples of 5 s by two workers"
    assert found["estimate"]["p90"] == 30


def test_without_a_history_nothing_is_promised(client, owner, pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING)
        _run(conn, made, SUBSETS[0], state="running")
    assert _get(client, made, owner)["estimate"] is None


@pytest.mark.parametrize("state", [State.CREATED, State.REJECTED, State.SCORED, State.FAILED, State.WITHDRAWN])
def test_what_waits_for_nobody_has_no_place_and_no_estimate(state, client, owner, pool, blocks):
    _history(pool, blocks, [10])
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=state)
    found = _get(client, made, owner)
    assert (found["position"], found["estimate"]) == (None, None)
    assert found["at_rest"] is (state is not State.CREATED)


def test_progress_that_has_not_changed_is_not_sent_again(client, owner, pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING)
        _run(conn, made, SUBSETS[0], state="running")
    first = client.get(f"/submissions/{made}/progress", headers=owner)
    again = {**owner, "if-none-match": first.headers["etag"]}
    assert client.get(f"/submissions/{made}/progress", headers=again).status_code == 304
    with transaction(pool) as conn:
        conn.execute("update runs set done = 1")
    assert client.get(f"/submissions/{made}/progress", headers=again).status_code == 200
    assert "private" in first.headers["cache-control"]


@pytest.mark.parametrize("path", ["progress", "stream"])
def test_anothers_progress_is_not_found_even_when_it_is_published(path, client, login, pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING)
    assert client.get(f"/submissions/{made}/{path}", headers=login("Others")).status_code == 404


def _lines(url, headers, found):
    with httpx.stream("GET", url, headers=headers, timeout=30, trust_env=False) as answer:
        found.append(answer.headers["content-type"])
        found.extend(line for line in answer.iter_lines() if line)


def test_a_stream_tells_each_change_and_ends_when_the_submission_rests(app, owner, pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING)
        _run(conn, made, SUBSETS[0], state="running")
    app.state.watching = _quick(pool)
    with served(app) as port:
        found = []
        url = f"http://127.0.0.1:{port}/api/v1/submissions/{made}/stream"
        following = threading.Thread(target=_lines, args=(url, owner, found))
        following.start()
        _until(lambda: len(found) >= 4)
        with transaction(pool) as conn:
            conn.execute("update runs set done = 2")
        _until(lambda: len(found) >= 7)
        with transaction(pool) as conn:
            store.move(conn, made, State.SCORED)
        following.join(10)
        assert not following.is_alive()
        assert app.state.watching.listeners == 0
    assert found[0].startswith("text/event-stream")
    told = [json.loads(line.removeprefix("data: ")) for line in found if line.startswith("data: ")]
    assert [(one["state"], one["done"]) for one in told] == [("scoring", 0), ("scoring", 2), ("scored", 2)]
    assert "results" not in told[-1]


def test_a_stream_that_is_taken_up_again_does_not_repeat_what_was_seen(app, owner, pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORED)
    app.state.watching = _quick(pool)
    with served(app) as port:
        url = f"http://127.0.0.1:{port}/api/v1/submissions/{made}/stream"
        first: list[str] = []
        _lines(url, owner, first)
        seen = next(line.removeprefix("id: ") for line in first if line.startswith("id: "))
        again: list[str] = []
        _lines(url, {**owner, "last-event-id": seen}, again)
        head = httpx.head(url, headers=owner, trust_env=False)
    assert [line for line in again if line.startswith("data: ")] == []
    assert head.status_code == 200


def _quick(pool):
    def look(ids):
        with transaction(pool) as conn:
            return progress.of(conn, ids)

    return Watching(look, every=0.05)


def _until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_many_listeners_cost_one_look_and_no_connection_each():
    looks = []

    async def listen():
        watching = Watching(lambda ids: looks.append(list(ids)) or {}, every=0.01, most=200)
        ids = list(range(200))

        async def one(number):
            async with watching.listen(number):
                await asyncio.sleep(0.2)

        await asyncio.gather(*(one(number) for number in ids))
        await asyncio.sleep(0.05)
        return watching.listeners

    assert asyncio.run(listen()) == 0
    assert 1 <= len(looks) <= 25
    assert len(looks[0]) == 200


def test_one_listener_too_many_is_told_to_come_again():
    async def listen():
        watching = Watching(lambda ids: {}, every=0.01, most=1)
        async with watching.listen(1):
            with pytest.raises(BusyError):
                async with watching.listen(2):
                    pass

    asyncio.run(listen())


def test_a_database_that_fails_for_a_moment_ends_no_stream(pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING)
    tries = []

    def look(ids):
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("gone")
        with transaction(pool) as conn:
            return progress.of(conn, ids)

    async def listen():
        async with Watching(look, every=0.01).listen(made) as box:
            return await asyncio.wait_for(box.get(), 10)

    assert asyncio.run(listen()).state is State.SCORING
