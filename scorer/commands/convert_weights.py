"""``python -m scorer convert-weights``: DetAny3D's published checkpoint, checked and kept among the weights."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from scorer.installation import default_weights_folder

HELP = "check DetAny3D's checkpoint and keep what the detector needs of it"
DESCRIPTION = """
Reads detany3d.pth (nothing in it is run), wants every array of the network in its shape, and keeps them as safetensors
in the folder of weights. The weights are under NON-COMMERCIAL terms: whoever runs the detector must accept them by
detector.accept_noncommercial_weights in the file of instruments. docs/detector.md says where to get what.
"""


def add_to(commands: Any) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser("convert-weights", help=HELP, description=DESCRIPTION)
    command.add_argument("checkpoint", type=Path, help="detany3d.pth as its publishers give it")
    command.add_argument("--to", type=Path, help="the folder (default: $GSI_WEIGHTS, else ~/.cache/gsi/weights)")
    command.add_argument("--sam", type=Path, help="sam_vit_h_4b8939.pth, for what the checkpoint lacks")
    command.add_argument("--dinov2", type=Path, help="dinov2_vitl14_pretrain.pth, for what the checkpoint lacks")
    command.add_argument(
        "--network", choices=("full", "tiny", "narrow"), default="full", help="its size (default: full, the published)"
    )
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Convert, and say under which hash the file is kept."""
    from scorer.detectors.detany3d import weights  # it loads torch
    from scorer.weights import sources_of

    folder = options.to or default_weights_folder(os.environ)
    overlays = weights.Overlays(sam=options.sam, dinov2=options.dinov2)
    kept = weights.convert(options.checkpoint, folder=folder, network=options.network, overlays=overlays)
    made_from = sources_of(weights.NAME, folder=folder)
    for name, sha256 in made_from.items():
        _say(f"read {name}: sha256 {sha256}")
    if options.network == "full" and weights.PUBLISHED_SHA256 not in made_from.values():
        _say(f"note: not the file whose hash is known (sha256 {weights.PUBLISHED_SHA256}); run `detector check`")
    _say(f"{weights.NAME}: sha256 {kept.sha256}, {kept.path}")
    _say("these weights are under NON-COMMERCIAL terms (docs/detector.md)")


def _say(message: str) -> None:
    print(f"scorer: {message}", file=sys.stderr, flush=True)  # noqa: T201 - standard error is this program's voice
