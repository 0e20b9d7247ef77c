from __future__ import annotations

import base64
import io
import logging
import socket
import time

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from scorer.contract import ExitCode
from scorer.errors import JudgeError, JudgeUnavailableError
from scorer.judges import rubric
from scorer.judges.endpoint import AHEAD, EndpointJudge, EndpointSettings
from scorer.judges.journal import Journal
from scorer.judges.wire import FIRST_WAIT, Patience, seconds_asked_for
from tests.unit.scorer.judges import asking
from tests.unit.scorer.judges.misbehaving import GOOD, cut, drip, performing, says, status, words

KEY = "sk-very-secret-0123456789"


def judge(url: str, *, journal: Journal | None = None, api_key: str | None = None, **changed: object) -> EndpointJudge:
    settings = {"url": url, "model": "tiny", "revision": "r1", "patience": 0.02, "timeout": 5.0, **changed}
    return EndpointJudge(EndpointSettings.model_validate(settings), api_key=api_key, journal=journal)


def scores(asked: EndpointJudge, *cases: asking.Case) -> list[float | None]:
    return [entry.score for entry in asked.answers(cases)]


def test_the_request_holds_our_png_of_the_pixels_the_words_and_greedy_sampling():
    known = asking.case()
    with performing(says(GOOD)) as stage:
        [judgement] = judge(stage.url, api_key=KEY).judge_all([asking.question(known)])
    assert (judgement.score, judgement.reason) == (7.0, "itself")
    [request] = stage.requests
    assert (request["model"], request["temperature"], request["seed"]) == ("tiny", 0.0, 0)
    assert stage.headers[0]["authorization"] == f"Bearer {KEY}"
    system, user = request["messages"]
    assert system == {"role": "system", "content": rubric.SYSTEM}
    *pictures, text = user["content"]
    assert text == {"type": "text", "text": rubric.question_text(known)}
    for part, image in zip(pictures, (known.original, known.edited), strict=True):
        head, data = part["image_url"]["url"].split(",")
        assert head == "data:image/png;base64"
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), image)


def test_the_server_can_be_asked_to_hold_the_model_to_the_form():
    with performing(then=says(GOOD)) as stage:
        assert scores(judge(stage.url, answers="json_schema"), asking.case()) == [7.0]
    assert stage.requests[0]["response_format"]["json_schema"]["schema"]["required"] == ["reasoning", "score"]


@pytest.mark.parametrize(
    "fault",
    [
        status(429),
        status(500),
        status(503, b"overloaded"),
        cut,
        drip,
        status(200, b"{"),
        status(200, b"[" * 100_000),
        status(200, b"{}"),
        status(200, b'{"choices": []}'),
        status(200, b'{"choices": [{"message": null}]}'),
        status(200, b'{"choices": [{"message": {"content": 5}}]}'),
        status(200, b"\x1f\x8b broken", content_encoding="gzip"),
        says(GOOD, after=1.5),
    ],
    ids=[
        *("429", "500", "503", "cut", "drip", "broken-json", "deep-json", "no-choices", "empty-choices"),
        *("no-message", "number", "gzip", "hang"),
    ],
)
def test_what_passes_is_tried_again(fault):
    with performing(fault, says(GOOD)) as stage:
        assert scores(judge(stage.url, timeout=0.6), asking.case()) == [7.0]
    assert len(stage.requests) == 2


def test_what_does_not_pass_ends_the_run_and_is_never_a_score():
    with performing(then=status(503)) as stage:
        with pytest.raises(JudgeUnavailableError, match="failed 3 times, the last time: status 503") as raised:
            scores(judge(stage.url, attempts=3), asking.case())
        assert raised.value.exit_code == ExitCode.TRY_AGAIN
    assert len(stage.requests) == 3


def test_nobody_listening_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(JudgeUnavailableError, match="no connection"):
        scores(judge(f"http://127.0.0.1:{port}/v1", attempts=2), asking.case())


def test_the_server_may_say_how_long_to_wait():
    with performing(status(429, retry_after="1"), says(GOOD)) as stage:
        assert scores(judge(stage.url, patience=5.0), asking.case()) == [7.0]
    assert stage.moments[1] - stage.moments[0] >= 1.0


def test_waits_grow_are_spread_and_end_at_the_patience():
    patience = Patience(attempts=9, longest_wait=60.0)
    for attempt, whole in ((1, FIRST_WAIT), (2, 2 * FIRST_WAIT), (4, 8 * FIRST_WAIT), (20, 60.0)):
        drawn = {patience.wait(attempt, asked_for=None) for _ in range(200)}
        assert whole / 2 <= min(drawn) <= max(drawn) <= whole
        assert len(drawn) > 1 or whole == 60.0
    assert patience.wait(1, asked_for=30.0) == 30.0
    assert patience.wait(1, asked_for=9999.0) == 60.0


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("3", 3, 3), ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0), ("Fri, 01 Jan 2199 00:00:00 GMT", 1e9, 1e10)],
)
def test_a_wait_is_asked_for_in_seconds_or_as_a_date(header, least, most):
    asked = seconds_asked_for(header)
    assert asked is not None
    assert least <= asked <= most


def test_an_unreadable_wait_is_none():
    assert [seconds_asked_for(header) for header in (None, "", "soon", "-3")] == [None] * 4


@pytest.mark.parametrize("code", [301, 400, 401, 403, 404, 422])
def test_a_refusal_is_a_defect_of_the_set_up_and_not_tried_again(code):
    refused = status(code, b'{"error": "no such model"}')
    with performing(then=refused) as stage, pytest.raises(JudgeError, match=str(code)) as raised:
        scores(judge(stage.url), asking.case())
    assert raised.value.exit_code == ExitCode.DEFECT
    assert len(stage.requests) == 1


def test_the_key_is_in_no_log_message_or_provenance(caplog):
    caplog.set_level(logging.DEBUG)
    refused = pytest.raises(JudgeError, match=r"bad key \*\*\*")
    with performing(then=status(400, f"bad key {KEY}".encode())) as stage, refused as raised:
        scores(judge(stage.url, api_key=KEY), asking.case())
    asked = judge("http://judge/v1", api_key=KEY)
    assert KEY not in caplog.text + str(raised.value) + repr(asked.provenance()) + repr(asked)


def test_an_unusable_reply_is_asked_again_with_the_reason():
    with performing(says("I would say 7."), says(GOOD)) as stage:
        [entry] = judge(stage.url).answers([asking.case()])
    assert (entry.score, entry.replies) == (7.0, ["I would say 7.", GOOD])
    assert words(stage.requests[1]) == ["system", "user", "assistant", "user"]
    assert "it is not one JSON object" in stage.requests[1]["messages"][3]["content"]


def test_a_judge_that_never_answers_as_asked_gives_no_score_and_a_reason():
    with performing(says("7"), says(None), says(GOOD, finish="length")) as stage:
        [entry] = judge(stage.url, tries=3).answers([asking.case()])
    assert (entry.score, len(stage.requests)) == (None, 3)
    assert entry.reason == "no usable reply in 3 tries, the last: it is not one JSON object"


def test_questions_are_asked_at_once_answered_in_order_and_not_all_taken_ahead():
    taken = 0

    def many():
        nonlocal taken
        for i in range(12):
            taken += 1
            yield asking.case(f"q{i}", seed=i)

    acts = [says('{"reasoning": "r", "score": 7}', after=0.3 if i == 0 else 0.05) for i in range(12)]
    with performing(*acts) as stage:
        answers = judge(stage.url, concurrency=3).answers(many())
        first = next(answers)
        assert taken == AHEAD * 3
        assert [entry.key for entry in (first, *answers)] == [f"q{i}" for i in range(12)]
    assert stage.busiest == 3


def test_an_interrupted_run_asks_only_what_is_missing(tmp_path):
    cases = [asking.case(f"q{i}", seed=i) for i in range(4)]
    path = tmp_path / "journal.jsonl"
    good = [says(GOOD), says(GOOD)]
    unavailable = pytest.raises(JudgeUnavailableError)
    with performing(*good, then=status(503)) as stage, Journal(path) as journal, unavailable:
        scores(judge(stage.url, journal=journal, concurrency=1, attempts=1), *cases)
    path.write_bytes(path.read_bytes() + b'{"schema":"gsi-judg')
    with performing(then=says(GOOD)) as stage, Journal(path) as journal:
        assert scores(judge(stage.url, journal=journal), *cases) == [7.0] * 4
        assert len(stage.requests) == 2
        assert scores(judge(stage.url, journal=journal), *cases) == [7.0] * 4
        assert len(stage.requests) == 2
    assert len(path.read_text().splitlines()) == 4


@pytest.mark.parametrize("changed", [{"model": "other"}, {"revision": "r2"}, {"seed": 1}, {"max_tokens": 64}])
def test_another_model_revision_or_sampling_is_asked_anew(tmp_path, changed):
    with performing(then=says(GOOD)) as stage, Journal(tmp_path / "journal.jsonl") as journal:
        scores(judge(stage.url, journal=journal), asking.case())
        scores(judge(stage.url, journal=journal, **changed), asking.case())
    assert len(stage.requests) == 2


def test_who_stops_listening_is_not_kept_waiting():
    with performing(says(GOOD), then=status(503, retry_after="30")) as stage:
        answers = judge(stage.url, concurrency=1, patience=30.0).answers(asking.case(f"q{i}", seed=i) for i in range(9))
        next(answers)
        while len(stage.requests) < 2:
            time.sleep(0.01)
        began = time.monotonic()
        answers.close()
        assert time.monotonic() - began < 5


def test_nothing_more_is_asked_once_nobody_listens():
    with performing(says(GOOD), then=says("7", after=0.2)) as stage:
        answers = judge(stage.url, concurrency=1, tries=5).answers(asking.case(f"q{i}", seed=i) for i in range(9))
        next(answers)
        while len(stage.requests) < 2:
            time.sleep(0.01)
        answers.close()
        assert len(stage.requests) == 2


@pytest.mark.parametrize("url", ["ftp://judge/v1", "http://user:pass@judge/v1", "http://judge/v1?key=1", "judge", ""])
def test_an_address_that_would_not_work_or_holds_a_secret_is_refused(url):
    with pytest.raises(ValidationError):
        EndpointSettings(url=url, model="tiny", revision="r1")


def test_provenance_says_who_was_asked_and_fits_a_report():
    found = judge("http://judge/v1", model="m" * 300).provenance()
    assert found["judge_prompt"] == f"appearance-1+{rubric.FINGERPRINT[:12]}"
    assert all(0 < len(value) <= 120 for value in found.values())
    assert found["judge_model"] != judge("http://judge/v1", model="m" * 299).provenance()["judge_model"]
