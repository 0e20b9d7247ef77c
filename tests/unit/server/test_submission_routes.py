from __future__ import annotations

import hashlib
import socket
import threading
import time
import tracemalloc
from uuid import UUID

import httpx
import pytest

from server.app import create_app
from server.db.pool import transaction
from server.submissions import service, store
from server.submissions.lifecycle import TITLES, State
from tests import making
from tests.pages import walk
from tests.serving import served, upload_head

pytestmark = pytest.mark.usefixtures("blocks")

ZIP = {"content-type": "application/zip"}
NEW = {"benchmark": "blocks", "model": "A model"}


@pytest.fixture
def owner(login):
    return login("Owners")


@pytest.fixture
def begun(client, owner):
    return client.post("/submissions", json=NEW, headers=owner).json()["id"]


def _stored(storage_dir):
    return [path for path in (storage_dir / "submissions").rglob("*") if path.is_file()]


def test_a_new_submission_waits_for_its_archive(client, owner):
    wish = {**NEW, "organization": "Org", "description": "Two\nlines", "url": "https://example.org/x"}
    answer = client.post("/submissions", json=wish, headers=owner)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/api/v1/submissions/{made['id']}"
    assert {name: made[name] for name in wish} == wish
    assert (made["state"], made["state_title"], made["team"]) == ("created", "Waiting for the archive", "Owners")
    assert [event["state"] for event in made["events"]] == ["created"]
    assert client.get(answer.headers["location"].removeprefix("/api/v1"), headers=owner).json() == made


def test_the_same_idempotency_key_makes_one_submission(client, owner, login):
    key = {"idempotency-key": "k-1"}
    first = client.post("/submissions", json=NEW, headers=owner | key)
    again = client.post("/submissions", json=NEW, headers=owner | key)
    assert first.json()["id"] == again.json()["id"]
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (201, 201, "true")
    assert len(client.get("/submissions", headers=owner).json()["submissions"]) == 1
    other_team = client.post("/submissions", json=NEW, headers=login("Others") | key)
    assert other_team.json()["id"] != first.json()["id"]


def test_an_idempotency_key_is_refused_for_another_request(client, owner):
    key = {"idempotency-key": "k-1"}
    client.post("/submissions", json=NEW, headers=owner | key)
    answer = client.post("/submissions", json={**NEW, "model": "Another"}, headers=owner | key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")


def test_one_idempotency_key_sent_at_once_many_times_makes_one_submission(client, owner):
    answers = []

    def send():
        while (answer := _create(client, owner, "k")).status_code == 409:
            assert answer.json()["code"] == "idempotency-in-progress"
        answers.append(answer.json()["id"])

    senders = [threading.Thread(target=send) for _ in range(6)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(answers) == 6
    assert len(set(answers)) == 1


def _create(client, owner, key):
    return client.post("/submissions", json=NEW, headers=owner | {"idempotency-key": key})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"model": ""}, "model"),
        ({"model": "  "}, "model"),
        ({"model": "x" * 121}, "model"),
        ({"model": "a\nb"}, "model"),
        ({"model": "backwards \u202e"}, "model"),
        ({"model": "zero\u200bwidth"}, "model"),
        ({"model": "\u00a0"}, "model"),
        ({"organization": "\u3164"}, "organization"),
        ({"model": None}, "model"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://a b"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https:///path"}, "url"),
        ({"url": "https://."}, "url"),
        ({"url": "https://user:word@example.org"}, "url"),
        ({"url": "https://example.org:port"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"description": "\x00"}, "description"),
        ({"description": "x" * 2001}, "description"),
        ({"benchmark": "../x"}, "benchmark"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_with_the_fields_name(change, field, client, owner):
    answer = client.post("/submissions", json={**NEW, **change}, headers=owner)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_names_are_kept_in_their_one_form(client, owner):
    wish = {**NEW, "model": " A\u00a0 model\uff12 ", "organization": "The  Org"}
    made = client.post("/submissions", json=wish, headers=owner).json()
    assert (made["model"], made["organization"]) == ("A model2", "The Org")


def test_half_a_character_is_told_as_such_and_not_sent_back(client, owner):
    answer = client.post(
        "/submissions",
        content='{"benchmark": "blocks", "model": "a\\ud800b"}',
        headers=owner | {"content-type": "application/json"},
    )
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["model"]


def test_an_unknown_benchmark_is_not_found(client, owner):
    assert client.post("/submissions", json={**NEW, "benchmark": "nothing"}, headers=owner).status_code == 404


def test_an_archive_is_stored_as_it_was_sent_and_the_check_is_asked_for(client, owner, begun, storage, queue, tmp_path):
    content = b"PK" + bytes(range(256)) * 5000
    answer = client.put(f"/submissions/{begun}/archive", content=content, headers=owner | ZIP)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["state"], told["archive_bytes"]) == ("uploaded", len(content))
    assert told["archive_sha256"] == hashlib.sha256(content).hexdigest()
    assert [file.read_bytes() for file in _stored(tmp_path / "storage")] == [content]
    assert queue.validated == [UUID(begun)]


def test_a_second_archive_is_refused_and_the_first_one_stays(client, owner, begun, tmp_path, queue):
    client.put(f"/submissions/{begun}/archive", content=b"first", headers=owner | ZIP)
    answer = client.put(f"/submissions/{begun}/archive", content=b"second", headers=owner | ZIP)
    assert answer.status_code == 409
    assert [file.read_bytes() for file in _stored(tmp_path / "storage")] == [b"first"]
    assert len(queue.validated) == 1


def _in_pieces(size, piece=64 * 1024):
    for start in range(0, size, piece):
        yield bytes(min(piece, size - start))


@pytest.mark.parametrize("announced", [True, False])
def test_an_archive_over_the_limit_is_refused_and_nothing_is_kept(announced, client, owner, begun, tmp_path, settings):
    size = settings.max_archive_bytes + 1
    content = bytes(size) if announced else _in_pieces(size)
    answer = client.put(f"/submissions/{begun}/archive", content=content, headers=owner | ZIP)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert _stored(tmp_path / "storage") == []
    assert client.get(f"/submissions/{begun}", headers=owner).json()["state"] == "created"


def test_an_archive_of_exactly_the_limit_is_taken(client, owner, begun, settings):
    content = _in_pieces(settings.max_archive_bytes)
    assert client.put(f"/submissions/{begun}/archive", content=content, headers=owner | ZIP).status_code == 202


@pytest.mark.parametrize("content_type", ["image/png", "multipart/form-data; boundary=x", "", "text/html"])
def test_a_wrong_content_type_is_refused(content_type, client, owner, begun, tmp_path):
    sent = owner | {"content-type": content_type}
    answer = client.put(f"/submissions/{begun}/archive", content=b"x", headers=sent)
    assert answer.status_code == 415
    assert _stored(tmp_path / "storage") == []


def test_an_empty_archive_is_refused_and_may_be_sent_again(client, owner, begun, tmp_path):
    answer = client.put(f"/submissions/{begun}/archive", content=b"", headers=owner | ZIP)
    assert (answer.status_code, answer.json()["code"]) == (400, "incomplete-upload")
    assert _stored(tmp_path / "storage") == []
    assert client.put(f"/submissions/{begun}/archive", content=b"PK", headers=owner | ZIP).status_code == 202


def _refuse_commits(pool, table):
    """From now on every transaction that touches ``table`` fails when it commits."""
    with transaction(pool) as conn:
        conn.execute(
            "create function no() returns trigger language plpgsql as $$ begin raise exception 'SECRET WORDS'; end $$"
        )
        conn.execute(
            f"create constraint trigger no after insert or update on {table} deferrable initially deferred"
            " for each row execute function no()"
        )


def test_a_failing_commit_is_never_answered_with_success(client, owner, pool):
    _refuse_commits(pool, "submissions")
    answer = client.post("/submissions", json=NEW, headers=owner)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "SECRET" not in answer.text
    assert client.get("/submissions", headers=owner).json()["submissions"] == []


def test_an_upload_whose_commit_fails_leaves_no_file_and_asks_for_nothing(client, owner, begun, pool, tmp_path, queue):
    _refuse_commits(pool, "submissions")
    answer = client.put(f"/submissions/{begun}/archive", content=b"PK", headers=owner | ZIP)
    assert answer.status_code == 500
    assert _stored(tmp_path / "storage") == []
    assert queue.validated == []


def test_an_upload_whose_connection_dies_at_the_commit_leaves_no_file(client, owner, begun, pool, tmp_path, queue):
    with transaction(pool) as conn:
        conn.execute(
            "create function cut() returns trigger language plpgsql as"
            " $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$"
        )
        conn.execute(
            "create constraint trigger cut after update on submissions deferrable initially deferred"
            " for each row execute function cut()"
        )
    answer = client.put(f"/submissions/{begun}/archive", content=b"PK", headers=owner | ZIP)
    assert answer.status_code >= 500
    assert _stored(tmp_path / "storage") == []
    assert client.get(f"/submissions/{begun}", headers=owner).json()["state"] == "created"
    assert queue.validated == []


def test_only_the_archive_that_was_accepted_is_held(client, owner, begun, pool):
    client.put(f"/submissions/{begun}/archive", content=b"PK", headers=owner | ZIP)
    with transaction(pool) as conn:
        found = store.get(conn, UUID(begun))
        assert service.holds_archive(conn, UUID(begun), found.archive_key)
        assert not service.holds_archive(conn, UUID(begun), found.archive_key + "-of-another-upload")


def test_withdrawing_deletes_the_archive_and_keeps_its_hash(client, owner, begun, tmp_path):
    client.put(f"/submissions/{begun}/archive", content=b"PK", headers=owner | ZIP)
    told = client.post(f"/submissions/{begun}/withdraw", headers=owner).json()
    assert _stored(tmp_path / "storage") == []
    assert told["archive_sha256"] == hashlib.sha256(b"PK").hexdigest()


def test_a_failed_submission_that_is_withdrawn_is_not_tried_again(client, owner, maintainer, blocks, pool, storage):
    with transaction(pool) as conn:
        failed = making.submission(conn, blocks, state=State.FAILED)
    storage.put(f"submissions/{failed}/a.zip", [b"PK"], max_bytes=2)
    assert client.post(f"/submissions/{failed}/withdraw", headers=owner).json()["state"] == "withdrawn"
    assert not storage.exists(f"submissions/{failed}/a.zip")
    assert client.post(f"/submissions/{failed}/retry", headers=maintainer).status_code == 409


def test_a_retry_asks_for_the_check_only_once_it_is_committed(client, maintainer, blocks, pool, queue):
    with transaction(pool) as conn:
        failed = making.submission(conn, blocks, state=State.FAILED)
    _refuse_commits(pool, "submission_events")
    assert client.post(f"/submissions/{failed}/retry", headers=maintainer).status_code == 500
    assert queue.validated == []
    with transaction(pool) as conn:
        conn.execute("drop trigger no on submission_events")
    assert client.post(f"/submissions/{failed}/retry", headers=maintainer).json()["state"] == "uploaded"
    assert queue.validated == [failed]


VERBS = {"publish": {State.SCORED, State.EMBARGOED}, "unpublish": {State.PUBLISHED, State.EMBARGOED}}
VERBS["withdraw"] = set(State) - {State.REJECTED, State.WITHDRAWN}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", State)
def test_an_act_is_possible_in_its_states_and_refused_in_words_elsewhere(verb, state, client, owner, blocks, pool):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=state, numbers=making.everywhere(50))
    answer = client.post(f"/submissions/{made}/{verb}", headers=owner)
    if state in VERBS[verb]:
        assert answer.status_code == 200
        assert answer.json()["events"][-1]["state"] == answer.json()["state"]
    else:
        assert answer.status_code == 409
        assert TITLES[state].lower() in answer.json()["detail"]
        assert client.get(f"/submissions/{made}", headers=owner).json()["state"] == state


def test_the_results_hold_each_subset_and_operation_with_two_decimals(client, owner, blocks, pool):
    numbers = {"blocks-room": {"all": making.flat(200 / 3), "move": making.flat(12.345)}}
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORED, numbers=numbers)
    results = client.get(f"/submissions/{made}", headers=owner).json()["results"]
    assert results["blocks-room"]["all"] == {**making.flat(66.67), "n": 2, "missing": 0}
    assert set(results["blocks-room"]) == {"all", "move"}


def test_scores_are_not_shown_before_all_of_them_are_there(client, owner, blocks, pool):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING, numbers={"blocks-room": {"all": making.flat(1)}})
    assert client.get(f"/submissions/{made}", headers=owner).json()["results"] is None


def test_the_list_comes_in_pages_newest_first(client, owner, blocks, pool):
    for number in range(5):
        with transaction(pool) as conn:
            making.submission(conn, blocks, model=f"M{number}")
    pages = [[one["model"] for one in page["submissions"]] for page in walk(client, "/submissions?limit=2", owner)]
    assert pages == [["M4", "M3"], ["M2", "M1"], ["M0"]]


def test_a_large_archive_is_never_whole_in_memory(client, owner, begun, settings, queue, storage, pool):
    size = 40 * 1024**2
    roomy = settings.model_copy(update={"max_archive_bytes": size})
    with served(create_app(roomy, queue=queue, storage=storage, pool=pool)) as port:
        url = f"http://127.0.0.1:{port}/api/v1/submissions/{begun}/archive"
        tracemalloc.start()
        try:
            answer = httpx.put(url, content=_in_pieces(size), headers=owner | ZIP, timeout=120)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert answer.json()["archive_bytes"] == size
    assert peak < 12 * 1024**2


def test_other_requests_are_answered_while_an_upload_trickles(client, owner, begun, app):
    with served(app) as port, socket.create_connection(("127.0.0.1", port)) as uploading:
        uploading.sendall(upload_head(begun, owner, length=1000) + b"PK")
        start = time.monotonic()
        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/health", timeout=10).status_code == 200
        assert time.monotonic() - start < 5
        uploading.sendall(bytes(998))
        assert uploading.recv(4096).startswith(b"HTTP/1.1 202")


def test_an_upload_that_breaks_off_leaves_the_submission_waiting(client, owner, begun, app, tmp_path, queue):
    with served(app) as port:
        with socket.create_connection(("127.0.0.1", port)) as uploading:
            uploading.sendall(upload_head(begun, owner, length=1_000_000) + bytes(300_000))
            time.sleep(0.3)
        deadline = time.monotonic() + 10
        while _stored(tmp_path / "storage") and time.monotonic() < deadline:
            time.sleep(0.05)
    assert _stored(tmp_path / "storage") == []
    assert client.get(f"/submissions/{begun}", headers=owner).json()["state"] == "created"
    assert queue.validated == []
