"""The endpoint judge and the command against a real server of the chat API with a real, tiny model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scorer.__main__ import main
from scorer.contract import ExitCode
from scorer.judges.folder import write_questions
from scorer.judges.journal import parse_journal
from scorer.judges.recorded import RecordedJudge
from tests.unit.scorer.judges import asking

START_SECONDS = 120


@pytest.fixture(scope="module")
def served(taught: Path) -> Iterator[str]:
    """The base address of `transformers serve` with the taught model; it may reach nothing outside."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("transformers"), "serve", taught, "--host", "127.0.0.1", "--port", port]
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(taught.parent / "hub"), "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        [str(part) for part in [*command, "--device", "cpu"]],
        env=offline | threads,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the model server did not start (exit code {process.poll()})")


def test_a_served_model_answers_a_folder_of_questions_and_its_journal_judges(served, taught, tmp_path, capsys):
    from tests.unit.scorer.judges.tiny_model import BLUE, RED, case

    cases = [case("same", edited=RED), case("repainted", edited=BLUE)]
    write_questions(tmp_path / "questions", cases)
    out = tmp_path / "journal.jsonl"
    call = ["judge", "--questions", str(tmp_path / "questions"), "--out", str(out), "--adapter", "endpoint"]
    call += ["--url", served, "--model", str(taught), "--revision", "taught", "--max-tokens", "40"]
    assert main(call) == ExitCode.OK
    assert "2 questions, 2 asked now, 0 without a usable reply" in capsys.readouterr().err
    entries = parse_journal(out.read_bytes(), name=out.name)
    assert {entry.key: (entry.score, entry.reason) for entry in entries} == {
        "same": (9.0, "itself"),
        "repainted": (2.0, "repainted"),
    }
    assert main(call) == ExitCode.OK
    assert "2 questions, 0 asked now" in capsys.readouterr().err
    recorded = RecordedJudge.from_journal(out)
    questions = [asking.question(known) for known in reversed(cases)]
    assert [judgement.score for judgement in recorded.judge_all(questions)] == [2.0, 9.0]
    assert recorded.provenance()["judge_revision"] == "taught"
