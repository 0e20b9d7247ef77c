"""``python -m scorer questions``: what a run would ask its judge, for a judge in a process or container of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

HELP = "measure a run and write the questions for its language judge"
DESCRIPTION = """
Reads a run's folder as `score` does, measures IC, SA and EL, and writes a question for every edit that was made: two
re-encoded images, the instruction, the object's name, nothing hidden. `judge` answers them into a journal; `score` with
{"judge": {"adapter": "recorded", "journal": FILE}} in the run's instruments.json then ends the run with those answers.
"""


def add_to(commands: Any) -> None:
    """Describe the command's arguments."""
    command = commands.add_parser("questions", help=HELP, description=DESCRIPTION)
    command.add_argument("--input", type=Path, required=True, help="the run's folder (manifest.json, truth/, …)")
    command.add_argument("--out", type=Path, required=True, help="the folder for questions.jsonl and its images")
    command.set_defaults(command=run)


def run(options: argparse.Namespace) -> None:
    """Measure, and write the questions."""
    from scorer import environment, inputs, instruments, protocol, registry  # they load torch
    from scorer.judges.cases import Case
    from scorer.judges.folder import write_questions

    loaded = inputs.load(options.input)
    manifest = loaded.manifest
    environment.prepare(threads=manifest.threads, seed=manifest.seed)
    settings = instruments.read(options.input / instruments.FILE)
    perceptual = registry.perceptual_named(manifest.perceptual, settings)
    asked = protocol.questions(
        inputs=loaded,
        detector=registry.detector_named(manifest.detector, settings),
        originals=instruments.originals(settings, perceptual),
    )
    count = write_questions(options.out, map(Case.of, asked))
    print(f"scorer: {count} questions", file=sys.stderr)  # noqa: T201 - standard error is this program's voice
