from __future__ import annotations

import json

import pytest

from scorer.judges.replies import LARGEST_REPLY, LONGEST_REASON, UnusableReplyError, legible, parse


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ('{"reasoning": "same", "score": 7}', 7.0),
        ('  {"score": 7.5, "reasoning": "same"}\n', 7.5),
        ('```json\n{"reasoning": "same",\n "score": 0}\n```', 0.0),
        ('```\n{"reasoning": "same", "score": 1e1}\n```', 10.0),
    ],
)
def test_the_object_asked_for_is_read(text, score):
    assert parse(text) == (score, "same")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "[7]",
        "null",
        "score: 7",
        '{"score": 7}',
        '{"reasoning": "same"}',
        '{"reasoning": "same", "score": 7, "more": 1}',
        '{"reasoning": "same", "score": "7"}',
        '{"reasoning": "same", "score": true}',
        '{"reasoning": "same", "score": null}',
        '{"reasoning": "same", "score": [7]}',
        '{"reasoning": ["same"], "score": 7}',
        '{"reasoning": "same", "score": NaN}',
        '{"reasoning": "same", "score": Infinity}',
        '{"reasoning": "same", "score": 1e999}',
        '{"reasoning": "same", "score": 10.01}',
        '{"reasoning": "same", "score": -0.5}',
        '{"reasoning": "same", "score": 1, "score": 10}',
        'Sure! {"reasoning": "same", "score": 7}',
        '{"reasoning": "same", "score": 7} {"reasoning": "same", "score": 9}',
        '{"reasoning": "same", "score": ' + "9" * 5000 + "}",
        '{"reasoning": "same", "score": ' + "9" * 500 + "}",
        "[" * 50_000,
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"reasoning": "' + "x" * LARGEST_REPLY + '", "score": 7}',
        '||V^=^V||{"score": 7}||V^=^V||',
    ],
    ids=lambda text: text[:40],
)
def test_anything_else_is_unusable(text):
    with pytest.raises(UnusableReplyError):
        parse(text)


def test_the_words_become_one_bounded_line_that_every_file_can_hold():
    reason = parse(json.dumps({"reasoning": "a\n\x1b[31mb\x00\ud800 " + "c" * 5000, "score": 5})).reason
    assert reason.startswith("a �[31mb�� c")
    assert len(reason) == LONGEST_REASON
    assert reason.encode().decode() == reason
    assert legible("  a\t b  ", limit=3) == "a b"
