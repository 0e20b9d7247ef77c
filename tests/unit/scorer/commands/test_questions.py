from __future__ import annotations

import json

import pytest

from scorer.__main__ import main
from scorer.contract import Report
from scorer.judges.folder import QUESTIONS, read_cases, read_questions
from scorer.judges.journal import Entry, Journal
from tests.unit.scorer import folders

ANSWERED = {"judge_model": "a model of the test", "judge_adapter": "endpoint"}


@pytest.fixture
def run(tmp_path):
    """A run's folder whose benchmark names the language judge."""
    folder = folders.write_run(tmp_path / "run", submission=folders.perfect())
    for name in ("manifest.json", "benchmark.json"):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**content, "judge": "language-judge-1", "beside": ["gsi-official-1"]}))
    return folder


def test_a_run_is_measured_asked_about_elsewhere_and_ended_with_those_answers(run, tmp_path, capsys):
    asked = tmp_path / "asked"
    assert main(["questions", "--input", str(run), "--out", str(asked)]) == 0
    assert "questions" in capsys.readouterr().err
    lines = read_questions(asked)
    told = {line.key.split(":")[1]: line.instruction for line in lines}
    assert set(told) == {"gsi-fair-1", "gsi-official-1"}
    assert told["gsi-official-1"] is None
    assert told["gsi-fair-1"]
    with Journal(tmp_path / "journal.jsonl") as journal:
        for case in read_cases(asked, lines):
            journal.add(
                Entry(
                    key=case.key,
                    content=case.content,
                    digest=case.content,
                    score=8.0,
                    reason="alike",
                    replies=[],
                    provenance=ANSWERED,
                )
            )
    judge = {"adapter": "recorded", "journal": str(tmp_path / "journal.jsonl")}
    (run / "instruments.json").write_text(json.dumps({"judge": judge}))
    assert main(["score", "--input", str(run), "--output", str(tmp_path / "out")]) == 0
    report = Report.model_validate_json((tmp_path / "out/report.json").read_text())
    assert report.versions["judge_model"] == "a model of the test"
    assert report.ranked.scores.overall.ac == pytest.approx(80)
    made = sum(sample.ic > 0 for result in report.results.values() for sample in result.samples)
    assert made == len(lines)


def test_no_hidden_number_stands_in_the_questions(run, tmp_path):
    asked = tmp_path / "asked"
    assert main(["questions", "--input", str(run), "--out", str(asked)]) == 0
    fields = {name for line in (asked / QUESTIONS).read_text().splitlines() for name in json.loads(line)}
    assert fields == {"schema", "key", "original", "edited", "operation", "instruction", "target"}
