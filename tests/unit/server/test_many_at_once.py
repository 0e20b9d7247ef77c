from __future__ import annotations

import json
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse

import anyio
import httpx
import pytest

from server.app import create_app
from server.db.pool import transaction
from server.errors import BusyError
from server.http.turns import Turns
from tests import making
from tests.serving import served, upload_head

THREADS_OF_THE_SERVER = 40
MIB = 1024**2


def _all_at_once(ask, times):
    with ThreadPoolExecutor(max_workers=times) as asking:
        return list(asking.map(ask, range(times)))


def test_more_requests_at_once_than_threads_are_all_answered_soon(client):
    start = time.monotonic()
    answers = _all_at_once(lambda _: client.get("/benchmarks").status_code, 2 * THREADS_OF_THE_SERVER)
    assert Counter(answers) == {200: 2 * THREADS_OF_THE_SERVER}
    assert time.monotonic() - start < 8  # without turns: ten seconds of standstill, then 503


def test_slow_uploads_leave_the_threads_to_everybody_else(settings, queue, storage, pool, blocks, login):
    headers = login("Owners")
    with transaction(pool) as conn:
        begun = [making.submission(conn, blocks) for _ in range(THREADS_OF_THE_SERVER + 5)]
    roomy = settings.model_copy(update={"uploads_at_once": len(begun), "uploads_of_a_team": len(begun)})
    with served(create_app(roomy, queue=queue, storage=storage, pool=pool)) as port, ExitStack() as uploads:
        for submission in begun:
            upload = uploads.enter_context(socket.create_connection(("127.0.0.1", port)))
            upload.sendall(upload_head(submission, headers, length=1000) + b"PK")
        time.sleep(1)
        start = time.monotonic()
        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/benchmarks", timeout=20).status_code == 200
        assert time.monotonic() - start < 5


def test_an_upload_that_comes_too_slowly_is_cut_off_and_nothing_is_kept(
    settings, queue, storage, pool, blocks, login, tmp_path
):
    headers = login("Owners")
    with transaction(pool) as conn:
        begun = making.submission(conn, blocks)
    hasty = settings.model_copy(update={"upload_piece_seconds": 0.2})
    with (
        served(create_app(hasty, queue=queue, storage=storage, pool=pool)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as upload,
    ):
        upload.sendall(upload_head(begun, headers, length=1000) + b"PK")
        answer = HTTPResponse(upload)
        answer.begin()
        told = answer.read()
    assert answer.status == 400
    assert b"incomplete-upload" in told
    assert b"too slowly" in told
    assert not [path for path in (tmp_path / "storage" / "submissions").rglob("*") if path.is_file()]
    assert queue.validated == []


@contextmanager
def _sending(port, submission, headers, *, length=1000):
    """An upload that has begun and sends no more by itself."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as upload:
        upload.sendall(upload_head(submission, headers, length=length) + b"PK")
        yield upload


def _answer_to(upload):
    answer = HTTPResponse(upload)
    answer.begin()
    return answer, json.loads(answer.read())


def _put(port, submission, headers):
    url = f"http://127.0.0.1:{port}/api/v1/submissions/{submission}/archive"
    return httpx.put(url, content=b"PK", headers=headers | {"content-type": "application/zip"}, timeout=20)


@pytest.fixture
def submissions(pool, blocks):
    with transaction(pool) as conn:
        return [making.submission(conn, blocks) for _ in range(3)]


def test_a_submission_takes_one_upload_at_a_time(app, login, submissions):
    headers = login("Owners")
    with served(app) as port, _sending(port, submissions[0], headers) as upload:
        time.sleep(0.3)
        refused = _put(port, submissions[0], headers)
        upload.sendall(bytes(998))
        first, _ = _answer_to(upload)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "being uploaded already" in refused.json()["detail"]
    assert first.status == 202


def test_a_team_uploads_a_few_archives_at_once_and_keeps_nobody_else_out(
    settings, queue, storage, pool, blocks, login, submissions
):
    headers = login("Owners")
    with transaction(pool) as conn:
        other = making.submission(conn, blocks, team="Others")
    narrow = settings.model_copy(update={"uploads_at_once": 3, "uploads_of_a_team": 2})
    with served(create_app(narrow, queue=queue, storage=storage, pool=pool)) as port:
        with _sending(port, submissions[0], headers), _sending(port, submissions[1], headers):
            time.sleep(0.3)
            refused = _put(port, submissions[2], headers)
            assert _put(port, other, login("Others")).status_code == 202
        time.sleep(0.3)
        assert _put(port, submissions[2], headers).status_code == 202
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many")
    assert int(refused.headers["retry-after"]) > 0


def test_an_upload_that_is_too_slow_on_average_is_cut_off_though_each_piece_is_in_time(
    settings, queue, storage, pool, login, submissions
):
    hasty = settings.model_copy(update={"upload_piece_seconds": 0.8, "upload_least_bytes_per_second": 4 * MIB})
    app = create_app(hasty, queue=queue, storage=storage, pool=pool)
    with served(app) as port, _sending(port, submissions[0], login("Owners"), length=3 * MIB) as upload:
        for _ in range(2):
            time.sleep(0.55)
            upload.sendall(bytes(MIB))
        answer, told = _answer_to(upload)
    assert (answer.status, told["code"]) == (400, "incomplete-upload")
    assert "4,096 KiB a second" in told["detail"]


def test_who_gets_no_turn_is_told_when_to_come_again():
    async def wait_in_vain():
        turns = Turns(1, longest_wait=0.05)
        async with turns.one():
            with pytest.raises(BusyError) as refused:
                async with turns.one():
                    raise AssertionError("two turns at once")
        async with turns.one():
            return refused.value

    refused = anyio.run(wait_in_vain)
    assert refused.retry_after == 5
    assert "too busy" in refused.title
