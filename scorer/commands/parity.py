"""``python -m scorer parity``: a network of ours against reference values of the official one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorer.commands.official import positive
from scorer.errors import ScorerError

if TYPE_CHECKING:
    from scorer.detectors.detany3d.parity import Row

HELP = "run a network with seeded weights on the inputs of a reference file and compare every array in it"


def add_to(commands: Any) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser("parity", help=HELP, description=f"{HELP}; exit code 0 only if all are within bounds")
    command.add_argument("network", choices=["detany3d"], help="which network")
    command.add_argument("file", type=Path, metavar="FILE.npz", help="the reference values")
    command.add_argument("--tiny", action="store_true", help="the file is of the small network, not of the full one")
    command.add_argument("--seed", type=int, help="of the weights (default: what the file or its name says, else 0)")
    command.add_argument("--threads", type=positive, help="computing threads (default: one for each processor)")
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Run, print a table; raises ScorerError unless every array is within its bound and there was one."""
    import torch  # these take seconds, which other commands do without

    from scorer.detectors.detany3d import config, parity, seeded
    from scorer.detectors.detany3d.precision import PARITY

    if options.seed is not None and options.seed < 0:
        raise ScorerError("--seed must not be negative")
    reference = parity.read(options.file, seed=options.seed)
    if not reference.expected:
        raise ScorerError(f"{options.file.name} holds inputs alone: there is nothing to compare")
    if options.threads:
        torch.set_num_threads(options.threads)
    with PARITY.active():
        network = seeded.network(config.tiny() if options.tiny else config.full(), seed=reference.seed)
        rows = parity.check(network, reference)
    _print(rows)
    failed = [row.name for row in rows if not row.passed]
    if failed:
        raise ScorerError(f"{len(failed)} of {len(rows)} arrays differ from {options.file.name}: {', '.join(failed)}")


def _print(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("array", "shape", box=None, pad_edge=False)
    for title in ("worst difference", "bound"):
        table.add_column(title, justify="right")
    table.add_column("result")
    for row in rows:
        shape = "x".join(map(str, row.shape)) or "-"
        result = "passed" if row.passed else row.fault or "FAILED"
        table.add_row(escape(row.name), shape, f"{row.worst:.1e}", f"{row.bound:.0e}" if row.bound else "0", result)
    Console(width=120, highlight=False).print(table)
