"""What the command line prints, on terminals of several widths and into a pipe."""

import io
import os
import pty
import re
import sys

import pytest
from rich.console import Console

from frontend.commands import show
from frontend.commands.session import Session
from frontend.maintainer_resources import AuditEntry, Baseline
from frontend.resources import Benchmark, Leaderboard, Submission
from tests.unit.frontend.fake_api import BENCHMARKS, PAPER

IDS = [f"{digit * 8}-1234-4abc-8def-0123456789{digit}{digit}" for digit in "37"]
WIDTHS = [40, 60, 80, 120, 200]
MODEL = "A rather long name of an editor that moves blocks [v2]"


def printed(width: int, kind: str) -> str:
    """The text on a terminal of `width` columns."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, highlight=False, color_system=None)
    common = {"benchmark": "gsi-bench", "model": MODEL, "organization": "Vendor"}
    if kind == "submissions":
        each = [{**common, "id": name, "state": "failed", "created_at": "2026-11-23T10:00:00Z"} for name in IDS]
        show.submissions(console, map(Submission.read, each))
    elif kind == "baselines":
        show.baselines(console, (Baseline.read({**common, "id": name, "retired_reason": "x" * 60}) for name in IDS))
    else:
        acts = ({"at": "2026-11-23T10:00:00Z", "actor": "m", "action": "edit", "subject": name} for name in IDS)
        show.audit(console, (AuditEntry.read({**act, "detail": {"entry": IDS[0]}}) for act in acts))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["submissions", "baselines", "audit"])
def test_no_id_is_ever_cut_or_folded(kind: str, width: int) -> None:
    text = printed(width, kind)
    for name in IDS:
        assert re.search(rf"(^|\s){name}\s", text), text
    assert "…" not in text


@pytest.mark.parametrize("width", [60, 80])
def test_a_terminal_too_narrow_for_the_table_gets_a_block_for_each_row(width: int) -> None:
    lines = printed(width, "submissions").splitlines()
    assert [line.split() for line in lines if line.startswith("Id ")] == [["Id", name] for name in IDS]
    assert [line for line in lines if line.startswith("Model ")] == [f"Model      {MODEL}"] * 2


def test_no_score_of_a_board_is_cut_on_a_narrow_terminal() -> None:
    console = Console(file=io.StringIO(), width=60, force_terminal=True, highlight=False, color_system=None)
    columns = ["ic", "sa", "ac", "el", "avg"]
    rows = [{"model": row[0], "scores": dict(zip(columns, row[3], strict=True))} for row in PAPER]
    board = Leaderboard.read({"benchmark": "gsi-bench", "columns": columns, "rows": rows})
    show.leaderboard(console, board, benchmark=Benchmark.read(BENCHMARKS["gsi-bench"]))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(f"{value:.2f}" in text for row in PAPER for value in row[3])
    assert all(row[0] in text for row in PAPER if len(row[0]) <= 12)
    assert max(map(len, text.splitlines())) <= 60
    assert "…" not in text


def test_a_pipe_is_endless_and_a_terminal_is_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    ours, theirs = pty.openpty()
    reading, writing = os.pipe()
    with os.fdopen(theirs, "w") as terminal, os.fdopen(writing, "w") as pipe:
        os.set_blocking(ours, False)
        monkeypatch.setattr(sys, "stdout", pipe)
        monkeypatch.setattr(sys, "stderr", terminal)
        session = Session(url="http://service")
        assert session.out.width >= 10_000
        assert session.err.width < 1000
    os.close(ours)
    os.close(reading)
