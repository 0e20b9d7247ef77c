"""What the verbs of `gsi benchmark` print: findings, counts, and whether a benchmark is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.benchmarks.findings import Finding
from scorer.contract import BenchmarkManifest
from server.benchmarks.model import Benchmark

_SHOWN = 12
"""So many findings of one kind are told in full, unless all are asked for."""


def tell_openness(console: Console, missing: Mapping[str, str]) -> None:
    """Whether a benchmark takes submissions now, and what to do if not. ``missing``: instrument -> why."""
    if missing:
        console.print(f"It takes no submissions yet; not to be had here: {', '.join(missing)}.")
        for name, why in missing.items():
            console.print(f"  {escape(name)}: {escape(why)}")
        console.print("Once they are set up (GSI_INSTRUMENTS) or part of the installed version: gsi benchmark refresh")
    else:
        console.print("It takes submissions.")


def tell_findings(console: Console, findings: Sequence[Finding], *, all_findings: bool) -> None:
    """The findings, errors last, where the eye is; of many alike the first few."""
    alike: dict[tuple[str, str, str], int] = {}
    for one in sorted(findings, key=lambda one: one.severity == "error"):
        key = one.severity, one.field, one.remedy
        alike[key] = alike.get(key, 0) + 1
        if alike[key] <= _SHOWN or all_findings:
            colour = "red" if one.severity == "error" else "yellow"
            field = f" field {one.field}:" if one.field else ""
            console.print(
                f"[{colour}]{one.severity}[/{colour}] {escape(f'{one.file}:{field} {one.wrong}. {one.remedy}')}"
            )
    left = sum(max(0, count - _SHOWN) for count in alike.values())
    if left and not all_findings:
        console.print(f"… and {left} more like these; --all shows every one")


def table_of(manifest: BenchmarkManifest) -> Table:
    """How many samples each subset has, in all and of each operation."""
    operations = sorted({sample.operation for sample in manifest.samples})
    table = Table("subset", "samples", *operations, box=None, pad_edge=False)
    for subset in manifest.subsets:
        samples = manifest.of_subset(subset.id)
        counts = [sum(sample.operation == one for sample in samples) for one in operations]
        table.add_row(escape(subset.title), *(str(count) for count in (len(samples), *counts)))
    return table


def short_version(benchmark: Benchmark) -> str:
    """The beginning of a version, enough to tell it by."""
    return (benchmark.current_version or "none")[:12]


def openness(benchmark: Benchmark) -> str:
    """Whether a benchmark takes submissions, in a few words."""
    if not benchmark.is_scored:
        return "no: published results"
    missing = len(benchmark.missing_instruments)
    return f"no: {missing} {'instrument' if missing == 1 else 'instruments'} missing" if missing else "yes"
