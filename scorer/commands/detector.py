"""``python -m scorer detector``: prove the installed detector on a data set, record what it finds in edited images."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scorer.commands.official import dataset, model, positive
from scorer.errors import ScorerError

if TYPE_CHECKING:
    from scorer.detectors.checking import Stored
    from scorer.detectors.port import Detection, Detector
    from scorer.originals import Originals

HELP = "run the installed detector: check it on a data set's originals, record what it finds in edited images"
CHECK = "prove the installed detector on the originals of a data set"
RECORD = "write infer_cache.json: what the detector finds in a model's edited images, for `official`"
DESCRIPTION = """
The maintainers' first step with new weights: runs the detector on every original of a data set (an official folder, or
a benchmark in the service's own format) and counts how many stored original_bbox_3d it finds within the official
tolerance, 0.1 of squared differences summed over seven numbers. Where a box is not found, the official evaluation gives
its sample zero whatever the edit. Exit code 0 if the share is at least --least, 70 if not.
"""
RECORDING = """
Runs the detector on every edited image of the official folders ./eval/<model>/ and on its original, and writes
<dataset>_eval/infer_cache.json as the official program would, with the sha256 of each edited image. An interrupted
recording goes on where it was; an image that changed is seen anew.
"""
DETECTOR = "grounding-dino-detany3d"
LEAST = 95.0

T = TypeVar("T")


def add_to(commands: Any) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser("detector", help=HELP)
    verbs = command.add_subparsers(required=True, metavar="VERB")
    _describe_record(verbs.add_parser("record", help=RECORD, description=RECORDING))
    check = verbs.add_parser("check", help=CHECK, description=DESCRIPTION)
    check.add_argument(
        "dataset", type=Path, nargs="+", help="a folder of originals and edit JSONs, or of our own format"
    )
    check.add_argument("--json", type=Path, metavar="FILE", help="write everything that was found here")
    check.add_argument("--least", type=_percent, default=LEAST, help="percent to be found (default: %(default)s)")
    check.add_argument("--worst", type=int, default=10, metavar="N", help="misses to show (default: %(default)s)")
    check.add_argument("--originals", type=positive, metavar="N", help="only N originals of each folder, evenly spread")
    check.add_argument(
        "--pixel-intrinsics",
        action="store_true",
        help="read camera matrices as those of the picture's own pixels, to see whether a data set means them so",
    )
    _add_common(check)
    check.set_defaults(command=run_check)


def _describe_record(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dataset", action="append", required=True, type=dataset, metavar="NAME=FOLDER", help="may be repeated"
    )
    command.add_argument(
        "--model", action="append", required=True, type=model, metavar="FOLDER", help="./eval/<model>; may be repeated"
    )
    _add_common(command)
    command.set_defaults(command=run_record)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--detector", default=DETECTOR, metavar="NAME", help="default: %(default)s")
    command.add_argument(
        "--instruments", default=os.environ.get("GSI_INSTRUMENTS"), metavar="FILE", help="default: $GSI_INSTRUMENTS"
    )
    command.add_argument(
        "--threads", type=positive, default=os.cpu_count() or 1, help="computing threads (default: all)"
    )


def _prepared(options: argparse.Namespace) -> tuple[Detector, Originals]:
    """The detector, and where its answers on originals are kept. Raises ScorerError."""
    from scorer import environment, instruments, registry  # they load torch
    from scorer.measures.msssim import MsSsim

    settings = instruments.named(options.instruments)
    detector = registry.detector_named(options.detector, settings)
    environment.prepare(threads=options.threads, seed=0)
    return detector, instruments.originals(settings, MsSsim())  # detections know no perceptual distance


def run_record(options: argparse.Namespace) -> None:
    """Record every model's images of every data set. Raises ScorerError for folders that hold none."""
    from scorer.detectors.recording import Recorder
    from scorer.official.dataset import Layout

    detector, originals = _prepared(options)
    for name, truth in options.dataset:
        for folder in options.model:
            layout = Layout(name.removesuffix("_dataset"), truth, folder)
            recorder = Recorder(layout, detector=detector, originals=originals)
            done = watched(recorder.run(), of=len(recorder.files), name=f"{folder.name}, {layout.dataset}")
            _say(f"{layout.cache}: {len(done) - len(recorder.skipped)} of {len(done)} images")
            for file, why in recorder.skipped.items():
                _say(f"  {file}: {why}")


def run_check(options: argparse.Namespace) -> None:
    """Look at every original, print a table; raises ScorerError where too few stored boxes were found."""
    from scorer.detectors.checking import Finding, check
    from scorer.detectors.findings import print_findings, write_findings
    from scorer.detectors.stored import Boxes

    detector, originals = _prepared(options)

    def look(one: Stored) -> list[Detection]:
        return originals.detections(one.picture(), detector=detector, target=one.target, camera=one.camera)

    findings: list[Finding] = []
    unusable: dict[str, str] = {}
    for folder in options.dataset:
        boxes = Boxes(folder)
        try:
            stored = _spread(boxes.all, options.originals)
            if options.pixel_intrinsics:
                stored = [_as_pixels(one) for one in stored]
            findings += watched(check(stored, look), of=len(stored), name=folder.name)
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


def watched(items: Iterable[T], *, of: int, name: str) -> list[T]:
    """All of them, with a bar on standard error as they come; a line for each tenth where nobody watches."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    if console.is_terminal:
        return list(track(items, description=name, total=of, console=console))
    done: list[T] = []
    for one in items:
        done.append(one)
        if 10 * len(done) // of != 10 * (len(done) - 1) // of:
            _say(f"{name}: {len(done)} of {of}")
    return done


def _say(message: str) -> None:
    print(f"scorer: {message}", file=sys.stderr, flush=True)  # noqa: T201 - standard error is this program's voice
