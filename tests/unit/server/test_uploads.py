"""Archives in parts over HTTP: what is signed, what has arrived, and that exactly one of many wishes is carried out."""

from __future__ import annotations

import hashlib
import threading
import time
import tracemalloc
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from server.app import create_app
from server.db.pool import transaction
from server.errors import StorageError
from server.storage.local import LocalStorage
from server.submissions.multipart import service, store, sweep
from server.worker.cleaning import clean_up
from tests import making
from tests.serving import served

pytestmark = pytest.mark.usefixtures("blocks")

PART = 256 * 1024
CONTENT = bytes(range(256)) * 1024 * 2 + b"the end"
NEW = {"benchmark": "blocks", "model": "A model"}


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"upload_part_bytes": PART})


@pytest.fixture
def owner(login):
    return login("Owners")


@pytest.fixture
def submission(client, owner):
    return client.post("/submissions", json=NEW, headers=owner).json()["id"]


class Sender:
    """A client of one upload, as anybody would write it."""

    def __init__(self, client, headers, submission, **declared):
        self.client, self.headers = client, headers
        answer = client.post(f"/submissions/{submission}/uploads", json=declared, headers=headers)
        assert answer.status_code == 201, answer.text
        self.told = answer.json()
        self.path = self.told["links"]["self"].removeprefix("/api/v1")
        assert answer.headers["location"] == self.told["links"]["self"]

    def sign(self, *parts):
        wish = {"parts": [{"number": n, "bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()} for n, c in parts]}
        return self.client.post(f"{self.path}/parts", json=wish, headers=self.headers)

    def send(self, number, content):
        signed = self.sign((number, content)).json()["parts"][0]
        return self.client.request(signed["method"], _here(signed["url"]), content=content, headers=signed["headers"])

    def send_all(self, content=CONTENT):
        for number, start in enumerate(range(0, len(content), PART), start=1):
            assert self.send(number, content[start : start + PART]).status_code == 204
        return self

    def state(self):
        return self.client.get(self.path, headers=self.headers).json()

    def complete(self, **declared):
        return self.client.post(f"{self.path}/complete", json=declared, headers=self.headers)

    def abort(self):
        return self.client.delete(self.path, headers=self.headers)


def _here(url):
    return url.removeprefix("/api/v1")


@pytest.fixture
def sender(client, owner, submission):
    return Sender(client, owner, submission)


def _files(tmp_path):
    return sorted(p for p in (tmp_path / "storage").rglob("*") if p.is_file() and "benchmarks" not in p.parts)


def test_an_archive_sent_in_parts_is_put_together_and_checked(client, owner, submission, sender, storage, queue, pool):
    assert (sender.told["part_bytes"], sender.told["most_bytes"]) == (PART, 3 * 1024**2)
    assert (sender.told["state"], sender.told["most_parts"]) == ("open", 12)
    sender.send_all()
    assert [(part["number"], part["bytes"]) for part in sender.state()["parts"]] == [(1, PART), (2, PART), (3, 7)]
    assert sender.state()["parts"][2]["sha256"] == hashlib.sha256(b"the end").hexdigest()
    answer = sender.complete(parts=3, bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["archive_bytes"]) == ("uploaded", len(CONTENT))
    assert answer.json()["archive_sha256"] is None, "nobody has read it whole yet"
    assert queue.validated == [UUID(submission)]
    with transaction(pool) as conn:
        key = conn.execute("select archive_key from submissions where id = %s", (submission,)).fetchone()[0]
    assert b"".join(storage.read(key)) == CONTENT
    assert sender.state()["state"] == "completed"


def test_the_parts_that_have_arrived_are_told_to_who_comes_back(client, owner, submission, sender):
    sender.send(2, CONTENT[PART : 2 * PART])
    listed = client.get(f"/submissions/{submission}/uploads", headers=owner).json()["uploads"]
    assert [one["id"] for one in listed] == [sender.told["id"]]
    assert [part["number"] for part in sender.state()["parts"]] == [2]


def test_a_submission_has_one_open_upload(client, owner, submission, sender):
    again = client.post(f"/submissions/{submission}/uploads", json={}, headers=owner)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert sender.abort().status_code == 204
    assert client.post(f"/submissions/{submission}/uploads", json={}, headers=owner).status_code == 201


@pytest.mark.parametrize(
    ("declared", "status"),
    [({"bytes": 3 * 1024**2 + 1}, 413), ({"bytes": 0}, 422), ({"sha256": "xyz"}, 422), ({"size": 1}, 422)],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(declared, status, client, owner, submission):
    assert client.post(f"/submissions/{submission}/uploads", json=declared, headers=owner).status_code == status


@pytest.mark.parametrize(
    ("number", "size"), [(0, 1), (13, 1), (1, PART + 1), (10_001, 1), (1, 0)], ids=lambda value: str(value)
)
def test_a_part_that_cannot_be_one_is_not_signed(number, size, sender):
    wish = {"parts": [{"number": number, "bytes": size, "sha256": "0" * 64}]}
    answer = sender.client.post(f"{sender.path}/parts", json=wish, headers=sender.headers)
    assert answer.status_code == 422


def test_with_a_declared_size_every_part_has_the_size_that_follows(client, owner, submission):
    sender = Sender(client, owner, submission, bytes=PART + 7)
    assert sender.told["most_parts"] == 2
    assert sender.sign((1, b"short")).status_code == 422
    assert sender.sign((2, b"the end")).status_code == 200
    assert sender.sign((3, b"x")).status_code == 422


def test_a_part_keeps_the_content_it_was_first_signed_for(sender):
    assert sender.send(1, b"a").status_code == 204
    answer = sender.sign((1, b"b"))
    assert (answer.status_code, answer.json()["code"]) == (409, "part-differs")
    assert sender.send(1, b"a").status_code == 204


@pytest.mark.parametrize(
    ("sent", "declared", "words"),
    [
        ({}, {}, "No part has arrived"),
        ({1: PART, 3: 1}, {}, "parts have not arrived: 2"),
        ({1: PART, 2: 9, 3: 1}, {}, "Part 2 has 9 bytes"),
        ({1: PART}, {"parts": 2}, "parts have not arrived: 2"),
        ({1: PART, 2: 1}, {"parts": 1}, "2 parts have arrived, 1 were announced"),
        ({1: PART}, {"bytes": PART + 1}, "another number was announced"),
    ],
)
def test_what_is_not_whole_is_not_completed_and_may_go_on(sent, declared, words, sender, queue):
    for number, size in sent.items():
        sender.send(number, bytes([number]) * size)
    answer = sender.complete(**declared)
    assert (answer.status_code, answer.json()["code"]) == (400, "incomplete-upload")
    assert words in answer.json()["detail"]
    assert sender.state()["state"] == "open"
    assert queue.validated == []


def test_a_part_that_was_signed_and_never_sent_is_missed(sender):
    sender.send(1, b"a" * PART)
    sender.sign((2, b"never sent"))
    assert "parts have not arrived: 2" in sender.complete().json()["detail"]


def test_another_hash_than_at_the_beginning_is_refused(client, owner, submission):
    sender = Sender(client, owner, submission, sha256="0" * 64).send_all()
    assert sender.complete(sha256="1" * 64).status_code == 409


def test_two_completions_at_once_are_one(sender, queue):
    sender.send_all()
    answers = []
    workers = [threading.Thread(target=lambda: answers.append(sender.complete())) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len(queue.validated) == 1
    assert [event["state"] for event in answers[0].json()["events"]] == ["created", "uploaded"]


def test_a_completion_whose_answer_was_lost_may_be_asked_again(sender, queue):
    sender.send_all()
    first = sender.complete().json()
    again = sender.complete()
    assert (again.status_code, again.json()) == (202, first)
    assert len(queue.validated) == 1


def test_a_completion_whose_transaction_was_lost_is_taken_up_again(sender, pool, queue):
    sender.send_all()
    with transaction(pool) as conn:
        conn.execute("create function no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$")
        conn.execute(
            "create constraint trigger no after update on submissions deferrable initially deferred"
            " for each row execute function no()"
        )
    assert sender.complete().status_code == 500
    assert queue.validated == []
    assert len(sender.state()["parts"]) == 3
    with transaction(pool) as conn:
        conn.execute("drop trigger no on submissions")
    assert sender.complete().json()["archive_bytes"] == len(CONTENT)
    assert len(queue.validated) == 1


@pytest.mark.parametrize("ending", ["withdrawn", "whole"])
def test_an_upload_ends_with_what_the_submission_waits_for(
    ending, client, owner, submission, sender, pool, storage, tmp_path
):
    sender.send_all()
    if ending == "withdrawn":
        client.post(f"/submissions/{submission}/withdraw", headers=owner)
        left = []
    else:
        zip_type = {"content-type": "application/zip"}
        assert client.put(f"/submissions/{submission}/archive", content=b"PK", headers=owner | zip_type).is_success
        left = [b"PK"]
    assert sender.complete().status_code == 409
    assert sender.sign((1, b"x")).status_code == 409
    assert sweep.sweep(pool, storage) == 1
    assert [file.read_bytes() for file in _files(tmp_path)] == left


def test_completing_and_withdrawing_at_once_end_in_one_of_both(client, owner, pool, storage, tmp_path, queue):
    for _ in range(6):
        submission = client.post("/submissions", json=NEW, headers=owner).json()["id"]
        sender = Sender(client, owner, submission).send_all()
        acts = [sender.complete, lambda s=submission: client.post(f"/submissions/{s}/withdraw", headers=owner)]
        workers = [threading.Thread(target=act) for act in acts]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        told = client.get(f"/submissions/{submission}", headers=owner).json()
        assert told["state"] == "withdrawn"
    sweep.sweep(pool, storage)
    assert _files(tmp_path) == []


def test_what_is_given_up_leaves_nothing(sender, tmp_path, pool, storage):
    sender.send_all()
    url = _here(sender.sign((1, CONTENT[:PART])).json()["parts"][0]["url"])
    assert sender.abort().status_code == sender.abort().status_code == 204
    assert _files(tmp_path) == []
    assert sender.client.put(url, content=CONTENT[:PART]).status_code == 404
    assert sender.complete().status_code == 404
    assert sender.state()["state"] == "aborted"
    assert sweep.sweep(pool, storage) == 1
    assert sweep.sweep(pool, storage) == 0


def test_an_accepted_archive_cannot_be_given_up(sender, tmp_path):
    sender.send_all().complete()
    assert sender.abort().status_code == 409
    assert _files(tmp_path) != []


def _age(pool, **ages):
    with transaction(pool) as conn:
        conn.execute("update uploads set expires_at = now() - %s", (timedelta(**ages),))


def test_an_abandoned_upload_expires_and_is_swept(client, owner, submission, sender, pool, storage, tmp_path):
    sender.send_all()
    clean_up(pool, storage)
    assert len(_files(tmp_path)) == 3
    _age(pool, minutes=1)
    assert sender.state()["state"] == "expired"
    assert sender.complete().status_code == 404
    assert sender.sign((1, b"x")).status_code == 404
    clean_up(pool, storage)
    assert len(_files(tmp_path)) == 3, "whoever completes it at this moment is left the time"
    _age(pool, minutes=11)
    clean_up(pool, storage)
    assert _files(tmp_path) == []
    assert Sender(client, owner, submission).send_all().complete().status_code == 202


def test_an_expired_upload_makes_room_for_another_at_once(client, owner, submission, sender, pool, storage, tmp_path):
    sender.send_all()
    _age(pool, minutes=1)
    second = Sender(client, owner, submission)
    clean_up(pool, storage)
    assert _files(tmp_path) == []
    assert second.send_all().complete().status_code == 202


def test_what_the_storage_made_and_the_database_never_learned_is_swept(sender, pool, storage, tmp_path):
    sender.send_all()
    with transaction(pool) as conn:
        upload = store.get(conn, UUID(sender.told["submission"]), UUID(sender.told["id"]))
        parts = [part for _, part in sorted(store.parts(conn, upload.id).items())]
    storage.parts.complete(upload.archive_key, upload.storage_id, parts)
    _age(pool, minutes=11)
    clean_up(pool, storage)
    assert _files(tmp_path) == []


def test_what_the_storage_does_not_clean_now_is_cleaned_later(sender, pool, storage, tmp_path):
    class Down(LocalStorage):
        def delete(self, key):
            raise StorageError

    sender.send_all()
    _age(pool, minutes=11)
    assert sweep.sweep(pool, Down(tmp_path / "storage")) == 0
    assert sweep.sweep(pool, storage) == 1
    assert _files(tmp_path) == []


def test_an_accepted_archive_is_never_swept(sender, pool, storage, tmp_path):
    sender.send_all().complete()
    _age(pool, days=30)
    files = _files(tmp_path)
    assert sweep.sweep(pool, storage) == 1
    assert sweep.sweep(pool, storage) == 0
    assert _files(tmp_path) == files


@pytest.mark.parametrize("change", ["part", "seal", "time"])
def test_a_signed_url_that_was_changed_is_refused_in_words(change, sender):
    url = _here(sender.sign((1, b"x")).json()["parts"][0]["url"])
    if change == "part":
        url = url.replace("/1?", "/2?")
    elif change == "seal":
        url = url[:-1] + ("0" if url[-1] != "0" else "1")
    else:
        url = url.replace("expires=", "expires=9")
    answer = sender.client.put(url, content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (403, "bad-signature")
    assert sender.state()["parts"] == []


@pytest.mark.parametrize("odd", ["signature=ü", "signature=", "sha256=ü", "expires=-1", "bytes=0"])
def test_a_url_of_another_form_is_refused_by_the_field(odd, sender):
    url = httpx.URL(_here(sender.sign((1, b"x")).json()["parts"][0]["url"]))
    name, _, value = odd.partition("=")
    answer = sender.client.put(str(url.copy_merge_params({name: value})), content=b"x")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, name)


def test_an_upload_that_the_storage_has_lost_is_told_as_gone_and_makes_room(
    client, owner, submission, sender, storage, pool
):
    sender.send_all()
    with transaction(pool) as conn:
        key = store.get(conn, UUID(submission), UUID(sender.told["id"])).archive_key
    storage.parts.abort(key)
    for answer in (client.get(sender.path, headers=owner), sender.complete()):
        assert (answer.status_code, answer.json()["code"]) == (404, "upload-gone")
    assert sender.abort().status_code == 204
    assert Sender(client, owner, submission).send_all().complete().status_code == 202


def test_an_unknown_upload_is_not_found(client, owner, submission):
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/complete")):
        answer = client.request(method, f"/submissions/{submission}/uploads/{uuid4()}{path}", json={}, headers=owner)
        assert (answer.status_code, answer.json()["code"]) == (404, "upload-gone")


def test_parts_are_never_more_than_a_storage_takes(settings):
    assert service.part_bytes(settings) == PART
    huge = settings.model_copy(update={"max_archive_bytes": 100 * 1024**3})
    assert 100 * 1024**3 / service.part_bytes(huge) <= 10_000


def test_a_storage_that_takes_parts_itself_has_no_such_address_here(settings, queue, pool, tmp_path):
    class Elsewhere(LocalStorage):
        parts = None

    app = create_app(settings, queue=queue, storage=Elsewhere(tmp_path / "s"), pool=pool)
    with served(app) as port:
        url = f"http://127.0.0.1:{port}/api/v1/parts/{'0' * 32}/1"
        claim = {"bytes": "1", "sha256": "0" * 64, "expires": "1", "signature": "0" * 64}
        assert httpx.put(url, params=claim, content=b"x").status_code == 404


def test_a_team_sends_a_few_parts_at_once_and_is_told_when_to_send_more(
    client, owner, submission, settings, queue, storage, pool
):
    narrow = settings.model_copy(update={"uploads_of_a_team": 1})
    sender = Sender(client, owner, submission)
    urls = [part["url"] for part in sender.sign((1, b"a" * PART), (2, b"b")).json()["parts"]]
    begun = threading.Event()

    def slowly():
        yield b"a" * 10
        begun.set()
        time.sleep(0.5)
        yield b"a" * (PART - 10)

    with served(create_app(narrow, queue=queue, storage=storage, pool=pool)) as port:
        base = f"http://127.0.0.1:{port}"
        length = {"content-length": str(PART)}
        slow = threading.Thread(target=lambda: httpx.put(base + urls[0], content=slowly(), headers=length))
        slow.start()
        begun.wait()
        time.sleep(0.1)
        refused = httpx.put(base + urls[1], content=b"b")
        slow.join()
        assert httpx.put(base + urls[1], content=b"b").status_code == 204
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many")
    assert int(refused.headers["retry-after"]) > 0


def test_large_parts_are_never_whole_in_memory(client, owner, settings, queue, storage, pool, blocks):
    size = 32 * 1024**2
    roomy = settings.model_copy(update={"max_archive_bytes": 2 * size, "upload_part_bytes": size})
    with transaction(pool) as conn:
        submission = making.submission(conn, blocks)
    block = bytes(1024**2)
    sha256 = hashlib.sha256(block * 32).hexdigest()
    with served(create_app(roomy, queue=queue, storage=storage, pool=pool)) as port:
        base = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=base + "/api/v1", headers=owner, timeout=60) as http:
            here = http.post(f"/submissions/{submission}/uploads", json={"bytes": size}).json()["links"]
            wish = {"parts": [{"number": 1, "bytes": size, "sha256": sha256}]}
            url = http.post(base + here["parts"], json=wish).json()["parts"][0]["url"]
            tracemalloc.start()
            try:
                sent = (block for _ in range(32))
                assert httpx.put(base + url, content=sent, headers={"content-length": str(size)}, timeout=60).is_success
                assert http.post(base + here["complete"], json={}).json()["archive_bytes"] == size
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
    assert peak < 12 * 1024**2
