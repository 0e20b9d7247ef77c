"""The runner for development: the scorer as an ordinary child process with an empty environment.

It bounds time, address space, CPU time and file size, and kills the job's whole process group at the end. It does not
hide files or the network from the job: settings that say production refuse it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from scorer.contract import ExitCode, ProgressLine
from server.scoring.runner import Beat, Job, JobKind, Outcome, OutcomeKind

_TAIL_BYTES = 4096
_OUTPUT_FILE_BYTES = 256 * 1024 * 1024
_PROGRESS_TAIL_BYTES = 4096
_OUT_OF_MEMORY = ("out of memory", "MemoryError", "DefaultCPUAllocator")
_OF_EXIT_CODE = {
    ExitCode.OK: OutcomeKind.OK,
    ExitCode.PARTICIPANT_DATA: OutcomeKind.PARTICIPANT,
    ExitCode.DEFECT: OutcomeKind.DEFECT,
    ExitCode.TRY_AGAIN: OutcomeKind.RETRY,
}


class ProcessRunner:
    """Runs ``python -m scorer`` (or ``command``, for tests) as a child process; ``beat_seconds`` between beats."""

    name = "process"

    def __init__(self, *, command: Sequence[str] | None = None, beat_seconds: float = 1.0) -> None:
        self._command = list(command) if command is not None else [sys.executable, "-m", "scorer"]
        self._beat_seconds = beat_seconds

    def run(self, job: Job, beat: Beat) -> Outcome:
        """See `Runner.run`."""
        log = job.output_dir.parent / f"{job.kind}.log"
        try:
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [*_bounds(job), *self._command, *_arguments(job)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=_environment(job),
                    cwd=job.output_dir,
                    start_new_session=True,
                )
        except OSError as error:
            return Outcome(kind=OutcomeKind.COULD_NOT_START, exit_code=None, tail=str(error))
        try:
            stopped = self._watch(process, job, beat)
        finally:
            _kill_group(process)
        return Outcome(kind=stopped or _kind_of(process.returncode, log), exit_code=process.returncode, tail=_tail(log))

    def _watch(self, process: subprocess.Popen[bytes], job: Job, beat: Beat) -> OutcomeKind | None:
        """Wait for the end, beating; the kind says why we stopped it, None that it ended by itself."""
        deadline = time.monotonic() + job.timeout
        while True:
            try:
                process.wait(self._beat_seconds)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    return OutcomeKind.TIMED_OUT
                if not beat(newest_progress(job.output_dir / "progress.jsonl")):
                    return OutcomeKind.CANCELLED
            else:
                return None


def newest_progress(file: Path) -> ProgressLine | None:
    """The last complete, valid line of a progress file; None while there is none."""
    try:
        with file.open("rb") as lines:
            lines.seek(max(0, file.stat().st_size - _PROGRESS_TAIL_BYTES))
            text = lines.read()
    except OSError:
        return None
    for line in reversed(text.split(b"\n")[:-1]):
        try:
            return ProgressLine.model_validate_json(line)
        except ValidationError:
            continue
    return None


def _arguments(job: Job) -> list[str]:
    if job.kind is JobKind.SCORE:
        return ["score", "--input", str(job.input_dir), "--output", str(job.output_dir)]
    return [
        "gate",
        *("--archive", str(job.input_dir / "submission.zip")),
        *("--manifest", str(job.input_dir / "benchmark.json")),
        *("--out", str(job.output_dir / "verdict.json")),
        *("--threads", str(job.threads)),
    ]


def _bounds(job: Job) -> list[str]:
    """util-linux's wrappers: resource limits, and death with the worker; none where they are not installed."""
    wrappers: list[str] = []
    if prlimit := shutil.which("prlimit"):
        cpu = int(job.timeout * max(job.threads, 1)) + 10
        wrappers += [
            prlimit,
            f"--as={job.memory_bytes}",
            f"--cpu={cpu}",
            f"--fsize={_OUTPUT_FILE_BYTES}",
            "--core=0",
            "--",
        ]
    if setpriv := shutil.which("setpriv"):
        wrappers += [setpriv, "--pdeathsig", "KILL", "--"]
    return wrappers


def _environment(job: Job) -> dict[str, str]:
    """All that the job sees of us: no credentials but those that it is given, no settings."""
    threads = str(job.threads)
    return {
        **job.environment,
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(job.output_dir),
        "TMPDIR": str(job.output_dir),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
    }


def _kind_of(returncode: int, log: Path) -> OutcomeKind:
    if returncode not in {ExitCode.OK, ExitCode.PARTICIPANT_DATA}:
        text = _tail(log)
        if any(sign in text for sign in _OUT_OF_MEMORY):
            return OutcomeKind.OUT_OF_MEMORY
    if returncode in _OF_EXIT_CODE:
        return _OF_EXIT_CODE[ExitCode(returncode)]
    if returncode == -signal.SIGXCPU:
        return OutcomeKind.TIMED_OUT
    if returncode < 0:
        return OutcomeKind.KILLED
    return OutcomeKind.COULD_NOT_START if returncode in {126, 127} else OutcomeKind.DEFECT


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Nothing that the job started stays, whether it ended by itself or not."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        return file.read().decode(errors="replace")
