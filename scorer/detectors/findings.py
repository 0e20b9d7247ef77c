"""What a check of the detector found: a table for the maintainer, a file for programs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from scorer.detectors.checking import Finding, grouped, worst
from scorer.detectors.port import Detector
from scorer.detectors.recording import about
from scorer.geometry import SAME_BOX_THRESHOLD
from scorer.official.files import plain

SCHEMA = "gsi-detector-check/1"


def print_findings(findings: Sequence[Finding], unusable: Mapping[str, str], *, shown: int) -> None:
    """By subset and operation; then the ``shown`` worst misses, and as many of what cannot be checked."""
    console = Console(width=110, highlight=False)
    table = Table("subset", "operation", box=None, pad_edge=False)
    for title in ("found", "of", "percent", "nothing seen"):
        table.add_column(title, justify="right")
    for one in grouped(findings):
        counts = str(one.found), str(one.of), _percent(one.found, one.of), str(one.nothing)
        table.add_row(escape(one.subset), escape(one.operation), *counts)
    found, of = sum(one.found for one in findings), len(findings)
    table.add_row("all", "", str(found), str(of), _percent(found, of))
    console.print(table)
    for miss in worst(findings, most=shown):
        console.print(
            f"miss {escape(miss.id)}: {miss.detections} seen, nearest {miss.distance:.3g} "
            f"(centre {round(miss.centre, 4):g} m, size {round(miss.size, 4):g} m, yaw {round(miss.yaw, 4):g})"
        )
    for name, why in list(unusable.items())[:shown]:
        console.print(f"not checked {escape(name)}: {escape(why)}")
    if len(unusable) > shown:
        console.print(f"and {len(unusable) - shown} more that cannot be checked")


def write_findings(path: Path, findings: Sequence[Finding], unusable: Mapping[str, str], *, detector: Detector) -> None:
    """Everything, as JSON: groups, samples, and what the detector was. No stored box is in it, only distances."""
    content = {
        "schema": SCHEMA,
        **about(detector),
        "tolerance": SAME_BOX_THRESHOLD,
        "found": sum(one.found for one in findings),
        "of": len(findings),
        "groups": [one._asdict() for one in grouped(findings)],
        "samples": [{**asdict(one), "found": one.found} for one in findings],
        "unusable": unusable,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(plain(content), indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _percent(found: int, of: int) -> str:
    return f"{100 * found / of:.1f}" if of else "-"
