from __future__ import annotations

import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPResponse

import anyio
import httpx
import pytest

from server.app import create_app
from server.db.pool import transaction
from server.errors import UnavailableError
from server.http.turns import Turns
from tests import making
from tests.serving import served, upload_head

THREADS_OF_THE_SERVER = 40


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
    roomy = settings.model_copy(update={"uploads_at_once": len(begun)})
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


def test_who_gets_no_turn_is_told_when_to_come_again():
    async def wait_in_vain():
        turns = Turns(1, longest_wait=0.05)
        async with turns.one():
            with pytest.raises(UnavailableError) as refused:
                async with turns.one():
                    raise AssertionError("two turns at once")
        async with turns.one():
            return refused.value

    assert anyio.run(wait_in_vain).retry_after == 5
