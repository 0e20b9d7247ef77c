"""The command line and the service judge alike: the corpus through both, by the code that each really runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from frontend.cli import register
from scorer.__main__ import main
from scorer.contract import ExitCode, Verdict
from server.scoring.process_runner import ProcessRunner
from server.scoring.runner import Job, JobKind, OutcomeKind
from tests.gate_corpus.benchmark import Case, manifest
from tests.gate_corpus.corpus import hostile_cases, valid_cases

HOSTILE = hostile_cases()
VALID = valid_cases()
IN_PROCESSES = ("lying-bomb", "other-composition", "png-too-few-rows", "behind-a-script", "official-with-evaluations")
"""Cases that are judged by two real processes, too: a runner's job and the command."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("gate")
    (made / "benchmark.json").write_text(manifest().model_dump_json())
    return made


@pytest.fixture(scope="module")
def command() -> typer.Typer:
    app = typer.Typer()
    register(app)
    return app


def of_the_service(folder: Path) -> Verdict:
    """What `python -m scorer gate` writes."""
    out = folder / "verdict.json"
    files = ["--archive", str(folder / "submission.zip"), "--manifest", str(folder / "benchmark.json")]
    assert main(["gate", *files, "--out", str(out), "--threads", "2"]) == ExitCode.OK
    return Verdict.model_validate_json(out.read_bytes())


def of_the_command(command: typer.Typer, folder: Path) -> tuple[dict[str, Any], int]:
    """What `gsi check --json` prints, and how it ends."""
    files = [str(folder / "submission.zip"), "--manifest", str(folder / "benchmark.json")]
    done = CliRunner().invoke(command, ["check", *files, "--threads", "3", "--json"])
    return json.loads(done.stdout), done.exit_code


def printed(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the command prints one."""
    return {**verdict.model_dump(mode="json", exclude={"images"}), "usable_images": len(verdict.images)}


def errors(verdict: Verdict) -> set[str]:
    return {found.code for found in verdict.defects if found.severity == "error"}


def test_the_corpus_is_large_varied_and_the_same_for_the_same_seed() -> None:
    assert len(HOSTILE) >= 120
    assert len(VALID) >= 60
    assert len({one.name for one in HOSTILE}) == len(HOSTILE)
    assert len({one.name for one in VALID}) == len(VALID)
    assert [one.content for one in hostile_cases()] == [one.content for one in HOSTILE]
    assert [one.content for one in valid_cases()] == [one.content for one in VALID]


@pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case.name)
def test_a_hostile_archive_gets_its_codes_from_both(case: Case, folder: Path, command: typer.Typer) -> None:
    (folder / "submission.zip").write_bytes(case.content)
    verdict = of_the_service(folder)
    assert errors(verdict) == case.codes
    assert not verdict.accepted
    assert of_the_command(command, folder) == (printed(verdict), 65)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case.name)
def test_a_valid_archive_is_accepted_by_both(case: Case, folder: Path, command: typer.Typer) -> None:
    (folder / "submission.zip").write_bytes(case.content)
    verdict = of_the_service(folder)
    assert verdict.accepted
    assert {found.code for found in verdict.defects} == case.warnings
    assert of_the_command(command, folder) == (printed(verdict), 0)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    folders = (tmp_path / "input", tmp_path / "output")
    for one in folders:
        one.mkdir()
    return Job(
        kind=JobKind.GATE, input_dir=folders[0], output_dir=folders[1], timeout=60, memory_bytes=2 * 1024**3, threads=2
    )


@pytest.mark.parametrize("name", IN_PROCESSES)
def test_the_runners_process_and_the_commands_process_agree(name: str, job: Job) -> None:
    (case,) = (one for one in HOSTILE + VALID if one.name == name)
    (job.input_dir / "submission.zip").write_bytes(case.content)
    (job.input_dir / "benchmark.json").write_text(manifest().model_dump_json())
    assert ProcessRunner(beat_seconds=0.05).run(job, lambda _: True).kind is OutcomeKind.OK
    verdict = Verdict.model_validate_json((job.output_dir / "verdict.json").read_bytes())
    assert errors(verdict) == case.codes
    assert [one.name for one in job.output_dir.iterdir()] == ["verdict.json"]
    program = "import typer; from frontend.cli import register; app = typer.Typer(); register(app); app()"
    files = [str(job.input_dir / "submission.zip"), "--manifest", str(job.input_dir / "benchmark.json")]
    done = subprocess.run([sys.executable, "-c", program, "check", *files, "--json"], capture_output=True, text=True)
    assert (json.loads(done.stdout), done.returncode) == (printed(verdict), 65 if case.codes else 0)
