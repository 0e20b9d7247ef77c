from __future__ import annotations

import json
import subprocess
import sys

import pytest

from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.judges.ending import Asked
from scorer.judges.folder import write_questions
from scorer.judges.journal import parse_journal
from tests.unit.scorer.judges import asking
from tests.unit.scorer.judges.misbehaving import GOOD, performing, says, status

KEY = "sk-very-secret-0123456789"


@pytest.fixture
def call(tmp_path):
    write_questions(tmp_path / "questions", [asking.case(f"q{i}", seed=i) for i in range(3)])
    folders = ["--questions", str(tmp_path / "questions"), "--out", str(tmp_path / "journal.jsonl")]
    return ["judge", *folders, "--adapter", "endpoint", "--model", "tiny", "--revision", "r1"]


def test_an_endpoint_that_is_down_asks_for_another_time_and_the_next_run_goes_on(call, tmp_path, capsys):
    with performing(says(GOOD), then=status(503)) as stage:
        down = [*call, "--url", stage.url, "--concurrency", "1", "--attempts", "1"]
        assert main(down) == ExitCode.TRY_AGAIN
    assert "nothing was scored" in capsys.readouterr().err
    with performing(then=says(GOOD)) as stage:
        assert main([*call, "--url", stage.url]) == ExitCode.OK
        assert len(stage.requests) == 2
    assert "3 questions, 2 asked now, 0 without a usable reply" in capsys.readouterr().err
    entries = parse_journal((tmp_path / "journal.jsonl").read_bytes(), name="journal.jsonl")
    assert {entry.key for entry in entries} == {"q0", "q1", "q2"}


def test_the_key_comes_from_the_environment_alone(call, monkeypatch, capsys):
    monkeypatch.setenv("MY_KEY", KEY)
    with performing(then=says(GOOD)) as stage:
        assert main([*call, "--url", stage.url, "--api-key-env", "MY_KEY"]) == ExitCode.OK
    assert {headers["authorization"] for headers in stage.headers} == {f"Bearer {KEY}"}
    assert KEY not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ([], "--url: field required"),
        (["--url", "ftp://judge"], "--url"),
        (["--url", "http://judge/v1", "--concurrency", "0"], "--concurrency"),
        (["--url", "http://judge/v1", "--batch", "2"], "--batch is no argument of the endpoint adapter"),
    ],
)
def test_a_wrong_argument_is_named(call, tmp_path, capsys, more, says):
    assert main([*call, *more]) == ExitCode.USAGE
    assert says in capsys.readouterr().err
    assert not (tmp_path / "journal.jsonl").exists()


def test_questions_that_are_not_there_are_our_defect(call, tmp_path, capsys):
    (tmp_path / "questions" / "questions.jsonl").unlink()
    assert main([*call, "--url", "http://127.0.0.1:9/v1"]) == ExitCode.DEFECT
    assert "questions.jsonl is missing" in capsys.readouterr().err


def test_neither_the_gate_nor_the_endpoint_judge_loads_a_network_library():
    loaded = (
        "import sys, scorer.__main__, scorer.bundle; assert not {'torch', 'transformers', 'httpx'} & {*sys.modules}"
    )
    served = "import sys, scorer.judges.endpoint; assert not {'torch', 'transformers'} & {*sys.modules}"
    for program in (loaded, served):
        subprocess.run([sys.executable, "-c", program], check=True)


def test_a_job_gets_its_settings_in_a_file_goes_on_from_an_earlier_journal_and_says_who_answered(call, tmp_path):
    earlier, about = tmp_path / "earlier.jsonl", tmp_path / "out/judge.json"
    settings = {"adapter": "endpoint", "model": "tiny", "revision": "r1", "concurrency": 1, "attempts": 1}
    with performing(says(GOOD), then=status(503)) as stage:
        (tmp_path / "settings.json").write_text(json.dumps({**settings, "url": stage.url}))
        job = ["judge", *call[1:3], "--settings", str(tmp_path / "settings.json"), "--about", str(about)]
        assert main([*job, "--out", str(earlier)]) == ExitCode.TRY_AGAIN
    with performing(then=says(GOOD)) as stage:
        (tmp_path / "settings.json").write_text(json.dumps({**settings, "url": stage.url}))
        ended = tmp_path / "out/journal.jsonl"
        assert main([*job, "--earlier", str(earlier), "--out", str(ended)]) == ExitCode.OK
        assert len(stage.requests) == 2
    assert len(parse_journal(ended.read_bytes(), name="journal")) == 3
    lines = (tmp_path / "out/progress.jsonl").read_text().splitlines()
    assert json.loads(lines[-1]) == {"stage": "judge", "done": 3, "total": 3}
    told = Asked.model_validate_json(about.read_text())
    assert (told.name, told.provenance["judge_model"]) == ("language-judge-1", "tiny")


@pytest.mark.parametrize("content", ["[]", "{", '{"model": "tiny"}', '{"adapter": "recorded", "model": "m"}'])
def test_settings_that_name_no_judge_are_a_wrong_call(call, tmp_path, content):
    (tmp_path / "settings.json").write_text(content)
    assert main(["judge", *call[1:5], "--settings", str(tmp_path / "settings.json")]) == ExitCode.USAGE
