"""``python -m scorer conformance``: the official vectors against the functions that score."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorer.commands.official import positive
from scorer.errors import ScorerError

if TYPE_CHECKING:
    from scorer.official.conformance.cases import Result

HELP = "check every conformance vector of a folder against profile gsi-official-1"
SHOWN = 10
"""Failing cases that are told of each file."""


def add_to(commands: Any) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser("conformance", help=HELP, description=f"{HELP}; exit code 0 only if all pass")
    command.add_argument("folder", type=Path, help="the vectors, plain or packed (tests/conformance/vectors/README.md)")
    command.add_argument("--threads", type=positive, default=1, help="computing threads (default: 1)")
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Run, print a table; raises ScorerError unless every case passed and there was one."""
    from scorer import environment  # these load torch, which other commands do without
    from scorer.official.conformance.runner import run_folder

    if not options.folder.is_dir():
        raise ScorerError(f"{options.folder}: no such folder")
    environment.prepare(threads=options.threads, seed=0)
    results = run_folder(options.folder)
    _print(results)
    failed, passed = sum(one.failed for one in results), sum(one.passed for one in results)
    if failed:
        raise ScorerError(f"{failed} of {failed + passed} cases differ from the official evaluation")
    if not passed:
        raise ScorerError(f"{options.folder} holds no vectors: expected files such as ops.json")


def _verdict(result: Result) -> str:
    if result.status != "run":
        return result.status
    return "failed" if result.failed else "passed" if result.passed else "no cases"


def _print(results: list[Result]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(width=100, highlight=False)
    table = Table("file", "result", box=None, pad_edge=False)
    for title in ("passed", "failed", "no verdict", "worst difference"):
        table.add_column(title, justify="right")
    for one in results:
        counts = (str(one.passed), str(one.failed), str(one.skipped), f"{one.worst:.1e}")
        table.add_row(one.name, _verdict(one), *(counts if one.status == "run" else ("", "", "", "")))
    console.print(table)
    for one in results:
        for case, why in one.failures[:SHOWN]:
            console.print(f"{one.name}: {escape(case)}: {escape(why)}")
        if one.failed > SHOWN:
            console.print(f"{one.name}: and {one.failed - SHOWN} more cases")
    if any(one.status == "skipped" for one in results):
        console.print("detany3d: skipped; these vectors are the detector's, not this profile's")
