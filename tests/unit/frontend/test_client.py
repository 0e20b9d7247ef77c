from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from frontend.client import Client
from frontend.errors import ClientError, Unreachable

BENCHMARK = {"id": "blocks", "title": "Blocks", "kind": "scored", "accepts_submissions": True}
SUBMISSION = {"id": "s1", "benchmark": "blocks", "model": "M", "state": "created"}
Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, *, token: str = "", pauses: list[float] | None = None) -> Client:
    slept: list[float] = [] if pauses is None else pauses
    return Client(url="http://service/", token=token, transport=httpx.MockTransport(handler), sleep=slept.append)


def test_a_problem_document_becomes_an_error_with_code_detail_and_remedy() -> None:
    body = {"code": "quota", "title": "Too many", "detail": "5 of 5 used", "remedy": "Wait until tomorrow"}
    with (
        client(lambda _: httpx.Response(429, json=body)) as made,
        pytest.raises(ClientError, match="Too many: 5 of 5 used") as raised,
    ):
        made.benchmarks()
    error = raised.value
    assert (error.code, error.status, error.remedy) == ("quota", 429, "Wait until tomorrow")


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"[1]", b""])
def test_an_error_that_is_no_problem_document_still_names_its_status(body: bytes) -> None:
    with (
        client(lambda _: httpx.Response(502, content=body)) as made,
        pytest.raises(ClientError, match="answered 502") as raised,
    ):
        made.benchmark("blocks")
    assert raised.value.code == "http_502"


@pytest.mark.parametrize("body", [{"id": "blocks", "dimensions": [{}]}, [], {"nothing": 1}, "text"])
def test_an_answer_of_another_shape_is_an_error_and_not_a_traceback(body: object) -> None:
    with client(lambda _: httpx.Response(200, json=body)) as made, pytest.raises(ClientError) as raised:
        made.benchmark("blocks")
    assert raised.value.code == "unexpected_answer"


def test_the_token_is_sent_and_every_path_is_below_the_api() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=BENCHMARK)

    with client(answer, token="secret") as made:
        assert made.benchmark("blocks").title == "Blocks"
    assert str(seen[0].url) == "http://service/api/v1/benchmarks/blocks"
    assert seen[0].headers["Authorization"] == "Bearer secret"


def test_a_refused_connection_is_tried_again_and_then_told() -> None:
    pauses: list[float] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with client(refuse, pauses=pauses) as made, pytest.raises(Unreachable, match="refused") as raised:
        made.benchmarks()
    assert len(pauses) == 3
    assert "gsi up" in raised.value.remedy


def test_a_service_that_comes_back_is_not_noticed_by_the_caller() -> None:
    answers = iter([httpx.ConnectError("refused"), httpx.ReadError("cut"), None])

    def recover(request: httpx.Request) -> httpx.Response:
        trouble = next(answers)
        if trouble is not None:
            raise trouble
        return httpx.Response(200, json=[BENCHMARK])

    with client(recover) as made:
        assert [each.id for each in made.benchmarks()] == ["blocks"]


def test_creating_twice_after_a_broken_answer_carries_the_same_idempotency_key() -> None:
    keys: list[str] = []

    def broken_once(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            raise httpx.ReadError("cut", request=request)
        return httpx.Response(201, json=SUBMISSION)

    with client(broken_once) as made:
        assert made.create(benchmark="blocks", model="M").id == "s1"
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_an_edit_whose_answer_broke_off_is_not_repeated() -> None:
    calls: list[str] = []

    def cut(request: httpx.Request) -> httpx.Response:
        calls.append(request.method)
        raise httpx.ReadError("cut", request=request)

    with client(cut) as made, pytest.raises(Unreachable):
        made.edit_baseline("b1", {"model": "New"})
    assert calls == ["PATCH"]


def test_a_small_zip_goes_in_one_request_with_its_length(tmp_path: Path) -> None:
    archive = tmp_path / "edits.zip"
    archive.write_bytes(b"z" * 600_000)
    received: list[tuple[str, bytes]] = []

    def take(request: httpx.Request) -> httpx.Response:
        received.append((request.headers["Content-Length"], request.read()))
        return httpx.Response(202, json={**SUBMISSION, "state": "uploaded"})

    with client(take) as made:
        assert made.upload("s1", archive).state == "uploaded"
    assert received == [("600000", b"z" * 600_000)]


def test_every_act_carries_a_key_and_keeps_it_until_the_answer_arrives() -> None:
    keys: list[str] = []

    def busy_twice(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            raise httpx.ReadError("cut", request=request)
        if len(keys) == 2:
            return httpx.Response(409, json={"code": "idempotency-in-progress", "title": "At work"})
        return httpx.Response(200, json={**SUBMISSION, "state": "withdrawn"})

    with client(busy_twice) as made:
        assert made.act("s1", verb="withdraw").state == "withdrawn"
        first = set(keys)
        made.act("s1", verb="withdraw")
    assert len(first) == 1
    assert keys[-1] not in first


def test_only_the_asked_filters_are_in_the_address_of_a_board() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.query.decode())
        return httpx.Response(200, json={"benchmark": "blocks", "columns": [{"id": "ic"}, "sa"], "rows": []})

    with client(answer) as made:
        assert made.leaderboard("blocks").columns == ("ic", "sa")
        made.leaderboard("blocks", subset="blocks-room", operation="move")
    assert seen == ["", "subset=blocks-room&operation=move"]


def test_a_missing_score_stays_missing() -> None:
    row = {"rank": None, "model": "M", "scores": {"ic": None, "sa": 0, "ac": True}}
    body = {"benchmark": "blocks", "columns": ["ic", "sa"], "rows": [row]}
    with client(lambda _: httpx.Response(200, json=body)) as made:
        scores = made.leaderboard("blocks").rows[0].scores
    assert scores == {"ic": None, "sa": 0.0, "ac": None}


@pytest.mark.parametrize("token", ["\xe9xyzzy", "xyzzy\n", "two xyzzy", "\x00xyzzy", "\u202exyzzy", "xyzzy\udcff"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(ClientError, match="token cannot be right") as raised:
        client(lambda _: httpx.Response(200, json=BENCHMARK), token=token)
    error = raised.value
    assert error.code == "malformed_token"
    assert not any("xyzzy" in words for words in (error.title, error.detail, error.remedy, str(error)))
