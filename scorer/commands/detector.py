"""``python -m scorer detector check``: whether the installed detector finds a data set's stored boxes again."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorer.commands.official import positive
from scorer.errors import ScorerError

if TYPE_CHECKING:
    from scorer.detectors.checking import Finding, Stored
    from scorer.detectors.port import Detector
    from scorer.instruments import InstrumentSettings

HELP = "prove the installed detector on the originals of a data set"
DESCRIPTION = """
The maintainers' first step with new weights: runs the detector on every original of a data set (an official folder, or
a benchmark in the service's own format) and counts how many stored original_bbox_3d it finds within the official
tolerance, 0.1 of squared differences summed over seven numbers. Where a box is not found, the official evaluation gives
its sample zero whatever the edit. Exit code 0 if the share is at least --least, 70 if not.
"""
DETECTOR = "grounding-dino-detany3d"
LEAST = 95.0


def add_to(commands: Any) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser("detector", help=HELP)
    verbs = command.add_subparsers(required=True, metavar="VERB")
    check = verbs.add_parser("check", help=HELP, description=DESCRIPTION)
    check.add_argument(
        "dataset", type=Path, nargs="+", help="a folder of originals and edit JSONs, or of our own format"
    )
    check.add_argument("--detector", default=DETECTOR, metavar="NAME", help="default: %(default)s")
    check.add_argument(
        "--instruments", default=os.environ.get("GSI_INSTRUMENTS"), metavar="FILE", help="default: $GSI_INSTRUMENTS"
    )
    check.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found here")
    check.add_argument("--least", type=_percent, default=LEAST, help="percent to be found (default: %(default)s)")
    check.add_argument("--worst", type=int, default=10, metavar="N", help="misses to show (default: %(default)s)")
    check.add_argument("--originals", type=positive, metavar="N", help="only N originals of each folder, evenly spread")
    check.add_argument("--threads", type=positive, default=os.cpu_count() or 1, help="computing threads (default: all)")
    check.add_argument(
        "--pixel-intrinsics",
        action="store_true",
        help="read camera matrices as those of the picture's own pixels, to see whether a data set means them so",
    )
    check.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Look at every original, print a table; raises ScorerError where too few stored boxes were found."""
    from scorer import environment, instruments, registry  # they load torch
    from scorer.detectors.checking import check
    from scorer.detectors.findings import print_findings, write_findings
    from scorer.detectors.stored import Boxes

    settings = instruments.named(options.instruments)
    detector = registry.detector_named(options.detector, settings)
    environment.prepare(threads=options.threads, seed=0)
    findings: list[Finding] = []
    unusable: dict[str, str] = {}
    for folder in options.dataset:
        boxes = Boxes(folder)
        try:
            stored = _spread(
                [_as_pixels(one) if options.pixel_intrinsics else one for one in boxes.all], options.originals
            )
            findings += _told(check(stored, _look(detector, settings)), of=len(stored), folder=folder)
            unusable |= boxes.unusable
        finally:
            boxes.close()
    print_findings(findings, unusable, shown=options.worst)
    if options.json:
        write_findings(options.json, findings, unusable, detector=detector)
    found = sum(one.found for one in findings)
    if not findings or 100 * found < options.least * len(findings):
        raise ScorerError(
            f"{found} of {len(findings)} stored boxes were found, less than {options.least:g}%: check the weights' "
            "hashes, the versions, and what frame the camera matrices are of (docs/detector.md, When too few are found)"
        )


def _percent(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise ValueError
    return value


def _look(detector: Detector, settings: InstrumentSettings) -> Any:
    """What the detector sees; kept with the originals' share, if the settings name a folder for it."""
    from scorer import instruments
    from scorer.measures.msssim import MsSsim

    kept = instruments.originals(settings, MsSsim())  # detections do not depend on the perceptual distance
    return lambda one: kept.detections(one.picture(), detector=detector, target=one.target, camera=one.camera)


def _as_pixels(stored: Stored) -> Stored:
    from dataclasses import replace

    from scorer.official.imaging import Frame

    height, width = stored.picture().read().shape[:2]
    inside = Frame.of(height, width).matrix
    matrix = (inside @ stored.camera.intrinsics).tolist()
    return replace(stored, camera=stored.camera.model_copy(update={"intrinsics": matrix}))


def _spread(stored: Sequence[Stored], originals: int | None) -> list[Stored]:
    """The boxes of so many pictures, evenly spread over all."""
    names = list(dict.fromkeys(one.original for one in stored))
    if originals is None or originals >= len(names):
        return list(stored)
    chosen = {names[i * len(names) // originals] for i in range(originals)}
    return [one for one in stored if one.original in chosen]


def _told(findings: Any, *, of: int, folder: Path) -> list[Finding]:
    """The findings, each told to standard error's bar as it comes; tenths where nobody watches."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    if console.is_terminal:
        return list(track(findings, description=folder.name, total=of, console=console))
    done: list[Finding] = []
    for one in findings:
        done.append(one)
        if 10 * len(done) // of != 10 * (len(done) - 1) // of:
            found = sum(finding.found for finding in done)
            print(f"scorer: {folder.name}: {len(done)} of {of}, {found} found", file=sys.stderr, flush=True)  # noqa: T201
    return done
