"""``python -m scorer COMMAND``: files in, files out, an exit code that says whom a failure concerns.

Messages on standard error are for operators. They name files, samples and fields, never a hidden value: of an
unexpected error only its type and where it arose are told.
"""

from __future__ import annotations

import argparse
import errno
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from scorer import bundle
from scorer.commands import conformance, convert_weights, detector, fetch_weights, judge, official, parity, steps
from scorer.contract import BenchmarkManifest, ExitCode
from scorer.errors import BenchmarkError, ScorerError
from scorer.files import FILES
from scorer.gate.budget import keep_little_freed
from scorer.writing import PROGRESS, REPORT, progress_in, write_model, write_text

_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EINTR}


class _Parser(argparse.ArgumentParser):
    """Ends with the exit code of the contract where the call itself is wrong."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except ScorerError as error:
        _say(str(error))
        return error.exit_code
    except MemoryError:
        _say("out of memory")
        return ExitCode.TRY_AGAIN
    except OSError as error:
        _say(f"{error.strerror}: {Path(error.filename).name if isinstance(error.filename, str) else 'a file'}")
        return ExitCode.TRY_AGAIN if error.errno in _PASSING else ExitCode.DEFECT
    except Exception as error:  # noqa: BLE001 - the edge: whatever it is, it is ours and must not print its values
        _say(f"unexpected {type(error).__name__}, raised at:")
        for frame in traceback.extract_tb(error.__traceback__):
            _say(f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}")
        return ExitCode.DEFECT
    return ExitCode.OK


def gate(options: argparse.Namespace) -> None:
    """Judge an archive; exit code 0 whatever the verdict."""
    try:
        manifest = BenchmarkManifest.model_validate_json(options.manifest.read_bytes())
    except ValidationError as error:
        raise BenchmarkError(f"{options.manifest.name} is not a valid benchmark manifest") from error
    write_model(options.out, bundle.check(archive=options.archive, manifest=manifest, threads=options.threads))


def score(options: argparse.Namespace) -> None:
    """Score one subset."""
    from scorer import (  # they load torch, which the gate does without
        environment,
        inputs,
        instruments,
        protocol,
        registry,
    )

    loaded = inputs.load(options.input)
    manifest = loaded.manifest
    environment.prepare(threads=manifest.threads, seed=manifest.seed)
    with progress_in(options.output / PROGRESS) as progress:
        report = protocol.score(
            inputs=loaded,
            instruments=registry.instruments_of(
                manifest, instruments.read(options.input / instruments.FILE).reached_through(options.socket)
            ),
            progress=progress,
        )
    write_model(options.output / REPORT, report)


def schemas(options: argparse.Namespace) -> None:
    """Write one JSON Schema for each kind of file of the contract."""
    options.out.mkdir(parents=True, exist_ok=True)
    for name, model in FILES.items():
        schema = json.dumps(model.model_json_schema(by_alias=True), indent=1, ensure_ascii=False)
        write_text(options.out / f"{name}.schema.json", schema + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m scorer", description="The GSI-Bench protocol, alone.")
    commands = parser.add_subparsers(required=True, parser_class=_Parser, metavar="COMMAND")
    check = commands.add_parser("gate", help="judge a submission's archive; writes a verdict")
    check.add_argument("--archive", type=Path, required=True, help="the submission, a zip")
    check.add_argument("--manifest", type=Path, required=True, help="the benchmark's public benchmark.json")
    check.add_argument("--out", type=Path, required=True, help="where to write the verdict (JSON)")
    check.add_argument("--threads", type=_positive, default=1, help="how many images to decode at a time")
    check.set_defaults(command=gate)
    run = commands.add_parser("score", help="score one subset of one submission; writes a report")
    run.add_argument("--input", type=Path, required=True, help="the run's folder (manifest.json, truth/, …)")
    run.add_argument("--output", type=Path, required=True, help="the folder for report.json and progress.jsonl")
    run.add_argument("--socket", help="a unix socket that leads to the judge's endpoint, where there is no network")
    run.set_defaults(command=score)
    steps.add_to(commands)
    ask = commands.add_parser("judge", help="have a vision-language model answer a folder of questions")
    judge.describe(ask)
    ask.set_defaults(command=judge.judge)
    describe = commands.add_parser("schemas", help="write the JSON Schemas of the files that are read and written")
    describe.add_argument("--out", type=Path, required=True, help="the folder for the schemas")
    describe.set_defaults(command=schemas)
    official.add_to(commands)
    conformance.add_to(commands)
    fetch_weights.add_to(commands)
    convert_weights.add_to(commands)
    detector.add_to(commands)
    parity.add_to(commands)
    return parser


def _positive(text: str) -> int:
    """A number of threads, as the contract bounds it."""
    if not 1 <= (number := int(text)) <= 256:
        raise ValueError
    return number


def _say(message: str) -> None:
    print(f"scorer: {message}", file=sys.stderr, flush=True)  # noqa: T201 - standard error is this program's voice


if __name__ == "__main__":
    if sys.argv[1:2] == ["gate"]:
        keep_little_freed()
    sys.exit(main())
