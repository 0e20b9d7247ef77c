"""``python -m scorer originals | measure | aggregate``: the steps of a run, each in a process of its own.

Between them lie chunks of measured samples, a folder of questions and a journal (``python -m scorer judge``); together
they give the report of ``python -m scorer score``, to the last bit but for its timings.
"""

from __future__ import annotations

import argparse
import time
from math import fsum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scorer import chunks
from scorer.contract import BenchmarkManifest, ProgressLine, RunManifest
from scorer.errors import BenchmarkError
from scorer.kept import Needed
from scorer.writing import PROGRESS, REPORT, progress_in, read_model, write_model

QUESTIONS, JOURNAL, JUDGE, KEPT = "questions", "journal.jsonl", "judge.json", "originals"


def add_to(commands: Any) -> None:
    """Describe the commands' arguments."""
    for name, run, words in (
        ("originals", originals, "make what a run's originals alone decide; reads no submission"),
        ("measure", measure, "measure a run's samples in chunks, after those that input/chunks holds"),
        ("aggregate", aggregate, "make the report of measured samples and a judge's journal"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("--input", type=Path, required=True, help="the run's folder (manifest.json, …)")
        command.add_argument("--output", type=Path, required=True, help="the folder for what is made")
        command.set_defaults(command=run)


def originals(options: argparse.Namespace) -> None:
    """Fill ``output/originals`` with what the folder of the settings lacks."""
    from scorer import environment, inputs, instruments, preparing, registry  # they load torch
    from scorer.deviations import profile_named
    from scorer.originals import DISK_BYTES, Originals
    from scorer.scenes import Scenes

    loaded = inputs.load(options.input)
    manifest = loaded.manifest
    environment.prepare(threads=manifest.threads, seed=manifest.seed)
    settings = instruments.read(options.input / instruments.FILE)
    beside = None if settings.originals is None else Path(settings.originals.folder)
    kept = Originals(
        network=registry.perceptual_named(manifest.perceptual, settings),
        folder=options.output / KEPT,
        disk_bytes=DISK_BYTES if settings.originals is None else settings.originals.bytes,
        beside=beside,
    )
    scenes = Scenes(inputs=loaded, detector=registry.detector_named(manifest.detector, settings), originals=kept)
    profiles = [profile_named(name) for name in manifest.protocols]
    with progress_in(options.output / PROGRESS) as progress:
        for done, task in enumerate(loaded.tasks, start=1):
            preparing.prepare([task], profiles=profiles, scenes=scenes)
            progress(ProgressLine(stage="prepare", done=done, total=len(loaded.tasks)))
    write_model(options.output / "needed.json", Needed(files=kept.used))


def measure(options: argparse.Namespace) -> None:
    """Write a chunk for every few samples, and the questions of a judge that is to be asked elsewhere."""
    from scorer import environment, inputs, instruments, measuring, registry  # they load torch
    from scorer.judges.folder import write_questions

    loaded = inputs.load(options.input)
    manifest = loaded.manifest
    environment.prepare(threads=manifest.threads, seed=manifest.seed)
    given = registry.measuring_instruments(manifest, instruments.read(options.input / instruments.FILE))
    committed, size = options.input / chunks.FOLDER, _size(options.input)
    pace = chunks.Pace(size, committed=committed, ahead=measuring.ahead(loaded))
    with measuring.opened(loaded, given) as run, progress_in(options.output / PROGRESS) as progress:
        earlier = chunks.read(committed, inputs=run.made.fingerprint)
        samples = [sample for chunk in earlier for sample in chunk.samples]
        for chunk in measuring.in_chunks(run, earlier=earlier, size=size, pace=pace):
            chunks.write(options.output / chunks.FOLDER, chunk)
            samples += chunk.samples
            progress(ProgressLine(stage="measure", done=len(samples), total=len(loaded.tasks)))
        if given.judge is None:
            write_questions(options.output / QUESTIONS, run.cases(samples))
        write_model(options.output / "measured.json", chunks.Measured(inputs=run.made.fingerprint, n=len(samples)))


def aggregate(options: argparse.Namespace) -> None:
    """Write the report of ``input/chunks`` and ``input/journal.jsonl``."""
    from scorer import reporting
    from scorer.judges.ending import Answers

    began = time.perf_counter()
    manifest = read_model(options.input / "manifest.json", RunManifest)
    benchmark = read_model(options.input / "benchmark.json", BenchmarkManifest)
    found = chunks.read(options.input / chunks.FOLDER)
    made = _made(found, manifest)
    samples = [sample for chunk in found for sample in chunk.samples]
    answers = Answers.of(samples, journal=options.input / JOURNAL, judge=options.input / JUDGE, name=manifest.judge)
    with progress_in(options.output / PROGRESS) as progress:
        report = reporting.report(
            made,
            samples,
            benchmark=benchmark,
            found=answers.find,
            provenance=answers.provenance,
            timings={"measure": fsum(chunk.seconds for chunk in found), "read": time.perf_counter() - began},
            progress=progress,
        )
    write_model(options.output / REPORT, report)


def _made(found: list[chunks.Chunk], manifest: RunManifest) -> chunks.Made:
    """What all chunks depend on, if it is this run and one and the same. Raises BenchmarkError."""
    if not found:
        raise BenchmarkError("there are no chunks to make a report of")
    made = chunks.Made.of(found[0]).model_copy(update={"manifest": manifest})
    if {chunk.inputs for chunk in found} != {made.fingerprint}:
        raise BenchmarkError("the chunks are not all of this run, or were measured from different inputs")
    return made


def _size(folder: Path) -> chunks.ChunkSize:
    try:
        return chunks.size_of(folder)
    except ValidationError as error:
        raise BenchmarkError(f"{chunks.SIZE_FILE} is not valid") from error
