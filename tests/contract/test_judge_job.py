"""The judge's job as it is: the scorer's own judge, without a network, through the socket, on each runner."""

from __future__ import annotations

from pathlib import Path

from scorer.judges.folder import write_questions
from scorer.judges.journal import parse_journal
from server.scoring.runner import JobKind, OutcomeKind
from tests.contract.conftest import Stage
from tests.unit.scorer.judges import asking
from tests.unit.scorer.judges.misbehaving import GOOD, performing, says, status

KEY = "sk-of-the-judge"
CASES = [asking.case(f"q{number}", seed=number) for number in range(3)]
PROGRAM = """
    import os, sys
    from scorer.__main__ import main

    socket = sys.argv[sys.argv.index("--socket") + 1]
    questions = os.path.join(os.path.dirname(__file__), "questions")
    asked = ["--adapter", "endpoint", "--model", "tiny", "--revision", "r1", "--attempts", "2", "--patience", "0.1"]
    call = ["judge", "--questions", questions, *asked, "--url", "{url}", "--socket", socket]
    assert main([*call, "--out", "journal.jsonl"]) == 0
    sys.exit(main([*call, "--out", "another.jsonl"]))
"""
"""Asks twice: the second time the judge is down."""


def _questions(folder: Path) -> dict[str, bytes]:
    write_questions(folder, CASES)
    return {f"questions/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_judge_is_asked_with_its_key_and_one_that_is_down_makes_up_no_score(launch: Stage, tmp_path: Path) -> None:
    files = _questions(tmp_path / "questions")
    with performing(*[says(GOOD)] * len(CASES), then=status(503)) as stage:
        ran = launch(
            PROGRAM.format(url=stage.url),
            files=files,
            kind=JobKind.JUDGE,
            endpoint=stage.url,
            environment={"GSI_JUDGE_API_KEY": KEY},
        )
        assert {headers["authorization"] for headers in stage.headers} == {f"Bearer {KEY}"}
    assert ran.kind is OutcomeKind.RETRY, ran.said
    assert "nothing was scored" in ran.said
    entries = parse_journal((ran.output / "journal.jsonl").read_bytes(), name="journal.jsonl")
    assert {(entry.key, entry.score) for entry in entries} == {(case.key, 7.0) for case in CASES}
    assert (ran.output / "another.jsonl").read_bytes() == b""
