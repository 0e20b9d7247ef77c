"""``python -m scorer fetch-weights``: the weights of networks, from where they are published."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from scorer import weights
from scorer.errors import ScorerError
from scorer.installation import default_weights_folder

DETANY3D = "detany3d"


def add_to(commands: Any) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser("fetch-weights", help="fetch the weights of networks from where they are published")
    command.add_argument("names", nargs="*", metavar="NAME", help=f"default: all ({', '.join(weights.KNOWN)})")
    command.add_argument("--to", type=Path, help="the folder (default: $GSI_WEIGHTS, else ~/.cache/gsi/weights)")
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Fetch, and say under which hash each file is kept."""
    if DETANY3D in options.names:
        raise ScorerError(
            f"{DETANY3D} is fetched by hand, because its terms are to be read: see docs/detector.md, then "
            "run `python -m scorer convert-weights detany3d.pth`"
        )
    unknown = sorted(set(options.names) - weights.KNOWN.keys())
    if unknown:
        raise ScorerError(f"there are no weights {', '.join(unknown)}; known: {', '.join(weights.KNOWN)}")
    folder = options.to or default_weights_folder(os.environ)
    for name in options.names or weights.KNOWN:
        known = weights.KNOWN[name]
        for source in known.sources:
            _say(f"{name}: {source.file}, {source.licence}")
        kept = weights.fetch(known, folder=folder, progress=_Tenths())
        _say(f"{name}: sha256 {kept.sha256}, {kept.path}")


class _Tenths:
    """Says how far a download is, once for each tenth."""

    def __init__(self) -> None:
        self._said: tuple[str, int] = ("", 0)

    def __call__(self, url: str, done: int, total: int | None) -> None:
        step = (url, 10 * done // total if total else 0)
        if total and step != self._said:
            _say(f"{url}: {10 * step[1]}% of {total:,} bytes")
        self._said = step


def _say(message: str) -> None:
    print(f"scorer: {message}", file=sys.stderr, flush=True)  # noqa: T201 - standard error is this program's voice
