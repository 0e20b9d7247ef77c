from __future__ import annotations

import shutil

import pytest

from scorer.contract import ExitCode
from scorer.errors import JudgeError
from scorer.judges.journal import Journal
from scorer.judges.local import LocalJudge, LocalSettings, folder_revision
from tests.unit.scorer.judges import asking


def test_a_model_judges_what_it_sees_in_batches_and_in_order(taught, tmp_path):
    from tests.unit.scorer.judges.tiny_model import BLUE, RED, case

    colours = [RED, BLUE, BLUE, RED, BLUE]
    cases = [case(f"q{i}", edited=colour) for i, colour in enumerate(colours)]
    with Journal(tmp_path / "journal.jsonl") as journal:
        judge = LocalJudge(LocalSettings(model=str(taught), batch=2, max_tokens=40), journal=journal)
        entries = list(judge.answers(cases))
        assert [(entry.score, entry.reason) for entry in entries[:2]] == [(9.0, "itself"), (2.0, "repainted")]
        assert [entry.score for entry in entries] == [9.0, 2.0, 2.0, 9.0, 2.0]
        assert len(journal) == 2
        [judgement] = judge.judge_all([asking.question(cases[1])])
    assert judgement.score == 2.0
    found = judge.provenance()
    assert found["judge_adapter"].startswith("local, transformers 5.")
    assert found["judge_model"] == "tiny-judge"
    assert found["judge_revision"] == folder_revision(taught)
    assert str(taught.parent) not in repr(found)


def test_a_model_that_does_not_answer_as_asked_gives_no_score(babbling):
    from tests.unit.scorer.judges.tiny_model import BLUE, RED, case

    judge = LocalJudge(LocalSettings(model=str(babbling), batch=2, tries=2, max_tokens=16))
    entries = list(judge.answers([case("one", edited=RED), case("two", edited=BLUE)]))
    assert [(entry.score, len(entry.replies)) for entry in entries] == [(None, 2), (None, 2)]
    assert "no usable reply in 2 tries" in entries[0].reason


def test_the_revision_of_a_folder_is_its_content(taught, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(taught, copied)
    assert folder_revision(copied) == folder_revision(taught)
    weights = copied / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert folder_revision(copied) != folder_revision(taught)


def test_a_hubs_model_needs_the_commit():
    for revision in (None, "main"):
        with pytest.raises(JudgeError, match="commit of 40 hex digits"):
            LocalJudge(LocalSettings(model="some/model", revision=revision))


def test_a_folder_without_a_model_is_named_with_what_to_check(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(JudgeError, match="the model empty cannot be loaded") as raised:
        LocalJudge(LocalSettings(model=str(tmp_path / "empty")))
    assert raised.value.exit_code == ExitCode.DEFECT
    assert str(tmp_path) not in str(raised.value)
