from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scorer.__main__ import main
from scorer.contract import ExitCode, ProgressLine, Report, Verdict
from tests.unit.scorer import folders


def scorer(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scorer", *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return folders.write_run(tmp_path / "input", submission=folders.nothing())


def test_the_gate_writes_a_verdict_and_ends_well_whatever_it_says(folder, tmp_path, capsys):
    out = tmp_path / "new" / "verdict.json"
    for content, accepted in ((folders.nothing(), True), (b"no zip", False)):
        (folder / "submission.zip").write_bytes(content)
        files = ["--archive", str(folder / "submission.zip"), "--manifest", str(folder / "benchmark.json")]
        assert main(["gate", *files, "--out", str(out)]) == ExitCode.OK
        assert Verdict.model_validate_json(out.read_text()).accepted is accepted
    assert capsys.readouterr().err == ""


def test_scoring_as_a_process_writes_report_and_progress(folder, tmp_path):
    ended = scorer("score", "--input", folder, "--output", tmp_path / "output")
    assert (ended.returncode, ended.stdout, ended.stderr) == (ExitCode.OK, "", "")
    report = Report.model_validate_json((tmp_path / "output/report.json").read_text())
    assert report.manifest.submission == "submission-1"
    lines = [
        ProgressLine.model_validate_json(line) for line in (tmp_path / "output/progress.jsonl").read_text().splitlines()
    ]
    assert lines[-1] == ProgressLine(stage="aggregate", done=1, total=1)
    assert {path.name for path in (tmp_path / "output").iterdir()} == {"report.json", "progress.jsonl"}


def test_an_archive_that_is_no_zip_ends_with_the_participants_code(folder, tmp_path, capsys):
    (folder / "submission.zip").write_bytes(b"no zip")
    assert main(["score", "--input", str(folder), "--output", str(tmp_path)]) == ExitCode.PARTICIPANT_DATA
    assert "not a zip" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_our_defect(tmp_path, capsys):
    assert main(["score", "--input", str(tmp_path / "no"), "--output", str(tmp_path)]) == ExitCode.DEFECT
    assert "manifest.json is missing" in capsys.readouterr().err


def test_an_unknown_detector_is_our_defect(folder, tmp_path, capsys):
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(content | {"detector": "other-1"}))
    assert main(["score", "--input", str(folder), "--output", str(tmp_path)]) == ExitCode.DEFECT
    assert "no detector other-1" in capsys.readouterr().err


def test_an_invalid_manifest_is_our_defect_and_its_content_is_not_shown(folder, tmp_path, capsys):
    (folder / "benchmark.json").write_text('{"secret": 12345}')
    arguments = ["gate", "--archive", str(folder / "submission.zip"), "--manifest", str(folder / "benchmark.json")]
    assert main([*arguments, "--out", str(tmp_path / "v.json")]) == ExitCode.DEFECT
    assert "12345" not in capsys.readouterr().err


def test_a_wrong_call_ends_with_the_usage_code():
    ended = scorer("gate", "--archive")
    assert ended.returncode == ExitCode.USAGE
    assert "usage" in ended.stderr


def test_an_output_that_cannot_be_written_is_ours(folder, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    code = main(["score", "--input", str(folder), "--output", str(tmp_path / "file" / "output")])
    assert code == ExitCode.DEFECT
    assert str(tmp_path) not in capsys.readouterr().err


def test_the_schemas_can_be_written(tmp_path):
    assert main(["schemas", "--out", str(tmp_path)]) == ExitCode.OK
    assert json.loads((tmp_path / "report.schema.json").read_text())["title"] == "Report"
