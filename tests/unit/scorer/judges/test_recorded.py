from __future__ import annotations

import json

import pytest

from scorer.errors import JudgeError
from scorer.judges.journal import Journal
from scorer.judges.port import Judgement
from scorer.judges.recorded import RecordedJudge, read_marked
from tests.unit.scorer.judges import asking

ONE, TWO = asking.case("one", seed=1), asking.case("two", seed=2)


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as written:
        written.add(asking.entry("one", content=ONE.content))
    return path


def predictions(tmp_path, *replies: tuple[str, object]):
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps([{"prediction": said, "meta": {"index": i, "db_idx": 0}} for i, said in replies]))
    return path


def marked(score: object) -> str:
    return f'Well. ||V^=^V||\n{{"score": {score}, "reasoning": "same"}}\n||V^=^V||'


def test_a_journal_answers_the_question_it_was_asked_under_whatever_key(journal):
    judge = RecordedJudge.from_journal(journal)
    [found] = judge.judge_all([asking.question(asking.case("another key", seed=1))])
    assert found == Judgement(7.0, "itself")
    assert (judge.name, judge.provenance()) == ("language-judge-1", {"judge_model": "tiny"})


def test_a_question_of_other_pixels_has_no_record(journal):
    with pytest.raises(JudgeError, match="no record for question two"):
        list(RecordedJudge.from_journal(journal).judge_all([asking.question(TWO)]))
    [found] = RecordedJudge.from_journal(journal, complete=False).judge_all([asking.question(TWO)])
    assert found == Judgement(None, "there is no record of a judgement")


def test_answers_of_several_judges_are_never_mixed(journal):
    other = asking.entry("one", content=ONE.content, digest="d" * 64, score=1.0)
    other = other.model_copy(update={"provenance": {"judge_model": "other"}})
    with Journal(journal) as written:
        written.add(other)
    with pytest.raises(JudgeError, match=r"answers of 2 judges \(other, tiny\); name one"):
        RecordedJudge.from_journal(journal)
    chosen = RecordedJudge.from_journal(journal, provenance={"judge_model": "other"})
    assert [found.score for found in chosen.judge_all([asking.question(ONE)])] == [1.0]


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"schema":'])
def test_a_journal_without_answers_is_refused(tmp_path, content):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    with pytest.raises(JudgeError, match=r"journal\.jsonl"):
        RecordedJudge.from_journal(path)


def test_an_official_predictions_file_answers_by_its_index(tmp_path):
    path = predictions(tmp_path, ("one", marked(3)), ("one", marked(7.5)), ("two", '{"score": 9}'), ("three", None))
    judge = RecordedJudge.from_predictions(path)
    asked = [asking.question(asking.case(key)) for key in ("three", "one", "two")]
    found = list(judge.judge_all(asked))
    assert [judgement.score for judgement in found] == [None, 7.5, None]
    assert found[2].reason == "unusable reply: the marks around its JSON are missing"
    assert judge.name == "recorded-predictions-1"


def test_another_reading_of_official_replies_can_be_given(tmp_path):
    path = predictions(tmp_path, ("one", "anything"))
    judge = RecordedJudge.from_predictions(path, read=lambda text: Judgement(len(text), text))
    assert list(judge.judge_all([asking.question(ONE)])) == [Judgement(8, "anything")]


@pytest.mark.parametrize("score", ["11", '"7"', "true", "NaN", "[7]"])
def test_a_marked_reply_is_read_strictly(score):
    assert read_marked(marked(score)).score is None


@pytest.mark.parametrize(
    "content", ["", "{}", '[{"prediction": "x"}]', '[{"prediction": 5, "meta": {"index": "secret"}}]']
)
def test_a_file_of_another_form_is_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "predictions.json"
    path.write_text(content)
    with pytest.raises(JudgeError, match=r"predictions\.json is no predictions file") as raised:
        RecordedJudge.from_predictions(path)
    assert "secret" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    for make in (RecordedJudge.from_predictions, RecordedJudge.from_journal):
        with pytest.raises(JudgeError, match=r"none\.json is missing"):
            make(tmp_path / "none.json")
