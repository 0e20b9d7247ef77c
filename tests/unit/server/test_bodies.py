from __future__ import annotations

import pytest

from server.http.bodies import MOST_BYTES


def _pieces(size):
    yield b'{"team": "'
    for _ in range(size // 65536):
        yield b"x" * 65536
    yield b'"}'


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_would_fill_the_memory_is_refused_whoever_sends_it(announced, client):
    pieces = _pieces(2 * MOST_BYTES)
    answer = client.post(
        "/development/login",
        content=b"".join(pieces) if announced else pieces,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "body-too-large"


def test_a_body_just_below_the_limit_is_read(client):
    answer = client.post("/development/login", json={"team": "x" * (MOST_BYTES - 100)})
    assert answer.status_code == 422
