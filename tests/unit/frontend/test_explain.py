"""`gsi explain` against a small service; against the real one in tests/unit/server/test_reports.py."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result
from rich.console import Console
from typer.testing import CliRunner

from frontend.cli import register
from frontend.commands import show_report
from scorer.contract import Report
from tests.reporting import CANARY, report
from tests.unit.frontend.fake_api import Service

Run = Callable[..., Result]
ROOM, TABLETOP = "blocks-room", "blocks-tabletop"
SAMPLE = f"{TABLETOP}-01_edit_1"


@pytest.fixture
def run(api: str, service: Service, tmp_path: Path) -> Run:
    """Calls `gsi explain ID …` as a maintainer, of a submission with two reports."""
    app = typer.Typer()
    register(app)
    service.tokens["the-maintainers"] = "maintainer"
    service.tokens["the-labs"] = "Lab"
    service.reports = {subset: report(subset) for subset in (ROOM, TABLETOP)}
    environment = {"GSI_URL": api, "XDG_CONFIG_HOME": str(tmp_path), "GSI_TOKEN": "the-maintainers"}

    def explain(*words: str, token: str = "the-maintainers") -> Result:
        return CliRunner().invoke(app, ["explain", "an-id", *words], env={**environment, "GSI_TOKEN": token})

    return explain


def test_every_sample_of_every_subset_stands_in_a_line_with_its_reason(run: Run) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    lines = [line.strip() for line in done.output.splitlines()]
    for subset in (ROOM, TABLETOP):
        assert f"{subset} under gsi-fair-1  run run-of-{subset}" in lines
        (line,) = (line for line in lines if line.startswith(f"{subset}-02_edit_1"))
        assert line.split()[1:7] == ["move", "scored", "100.00", "81.25", "60.00", "40.00"]
        assert "The target stands [12 mm] from its goal." in line


def test_one_subset_is_asked_for_alone(run: Run, service: Service) -> None:
    done = run("--subset", TABLETOP)
    assert ROOM not in done.output
    assert [entry["detail"] for entry in service.audit] == [{"subset": TABLETOP}, {"subsets": [ROOM, TABLETOP]}]


def test_only_suspicious_judgements_are_listed_on_request(run: Run) -> None:
    found = json.loads(run("--suspicious", "--json").stdout)
    assert [[one["id"] for one in part["samples"]] for part in found] == [[f"{ROOM}-01_edit_1"], [SAMPLE]]
    done = run("--suspicious", "--protocol", "gsi-official-1")
    assert done.output.count("No judgement is suspicious.") == 2


def test_a_sample_is_explained_with_every_quantity_in_its_group_unrounded(run: Run) -> None:
    done = run("--sample", SAMPLE)
    assert done.exit_code == 0, done.output
    head, operation, appearance = done.output.split("\n\n")
    assert f"{SAMPLE}  move, easy, scored" in head
    assert "IC 100.00  SA 81.25  AC 60.00  EL 40.00  Avg 70.31" in head
    assert [line.split(maxsplit=1) for line in operation.splitlines()] == [
        ["operation"],
        ["distance", "0.0123456789012"],
        ["goal", "[0.1, -0.2, 1.5]"],
        ["note", CANARY],
    ]
    assert appearance.startswith("appearance\n")
    assert "suspicious  true" in appearance


def test_no_control_character_of_a_report_reaches_the_terminal(run: Run) -> None:
    done = run("--sample", SAMPLE)
    assert "\x1b" not in done.output
    assert "same\ufffd[31m block" in done.output


def test_programs_get_whole_samples_with_their_run_and_protocol(run: Run) -> None:
    (part,) = json.loads(run("--sample", SAMPLE, "--protocol", "gsi-official-1", "--json").stdout)
    assert (part["subset"], part["run"], part["protocol"]) == (TABLETOP, f"run-of-{TABLETOP}", "gsi-official-1")
    assert part["samples"] == [report(TABLETOP)["results"]["gsi-official-1"]["samples"][1]]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("--subset", "garden"), f"{ROOM}, {TABLETOP}"),
        (("--protocol", "gsi-other-1"), "gsi-fair-1, gsi-official-1"),
        (("--sample", "nothing"), "gsi explain ID"),
    ],
)
def test_what_no_report_has_ends_with_66_and_says_what_there_is(words: tuple[str, ...], remedy: str, run: Run) -> None:
    done = run(*words)
    assert done.exit_code == 66, done.output
    assert words[1] in done.output
    assert remedy in done.output


def test_a_submission_without_a_report_ends_with_66(run: Run, service: Service) -> None:
    service.reports = {}
    done = run()
    assert done.exit_code == 66
    assert "once it is scored" in done.output


@pytest.mark.parametrize("token", ["the-labs", "unknown", ""])
def test_who_is_no_maintainer_ends_with_77_and_is_told_whose_login_it_takes(token: str, run: Run) -> None:
    done = run(token=token)
    assert done.exit_code == 77, done.output
    assert "gsi login --maintainer" in done.output
    assert "--team" not in done.output
    assert SAMPLE not in done.output


def test_a_report_of_another_version_ends_with_70_and_names_its_run(run: Run, service: Service) -> None:
    service.reports[ROOM] = {"schema": "gsi-report/1", "samples": [CANARY]}
    done = run()
    assert done.exit_code == 70
    assert f"run-of-{ROOM}" in done.output
    assert CANARY not in done.output


def test_one_sample_and_the_suspicious_ones_are_not_asked_for_at_once(run: Run, service: Service) -> None:
    assert run("--sample", SAMPLE, "--suspicious").exit_code == 2
    assert service.audit == []


@pytest.mark.parametrize("width", [40, 80, 100, 120, 200])
def test_an_id_stands_whole_on_a_terminal_of_any_width(width: int) -> None:
    told = Report.model_validate(report(TABLETOP))
    part = show_report.Part(subset=TABLETOP, run="r", protocol="gsi-fair-1", samples=told.ranked.samples)
    out = io.StringIO()
    show_report.samples(Console(file=out, width=width, highlight=False), part, only_suspicious=False)
    for one in part.samples:
        assert one.id in out.getvalue()
    assert out.getvalue().count("81.25") == len(part.samples)
