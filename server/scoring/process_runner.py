"""The runner for development: the scorer as an ordinary child process with an empty environment.

It bounds time, address space, processor time and output, and kills the job's whole process group at the end. It hides
neither files nor the network from the job, and does not bound the number of its processes: production refuses it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from server.scoring.command import arguments
from server.scoring.ending import kind_of, tail_of
from server.scoring.gpus import Gpus
from server.scoring.launch import Grants, could_not_start, cpu_seconds, environment, launched
from server.scoring.runner import Beat, Job, Outcome
from server.scoring.watch import Watch

_NO_GPUS = Gpus(folder=Path("/nonexistent"))


class ProcessRunner:
    """Runs ``python -m scorer`` (or ``command``, for tests) as a child process; ``beat_seconds`` between beats."""

    name = "process"

    def __init__(
        self, *, command: Sequence[str] | None = None, gpus: Gpus = _NO_GPUS, beat_seconds: float = 1.0
    ) -> None:
        self._command = list(command) if command is not None else [sys.executable, "-m", "scorer"]
        self._gpus = gpus
        self._beat_seconds = beat_seconds

    def run(self, job: Job, beat: Beat) -> Outcome:
        """See `Runner.run`."""
        return launched(job, beat, gpus=self._gpus, start=lambda grants: self._run(job, beat, grants))

    def _run(self, job: Job, beat: Beat, grants: Grants) -> Outcome:
        log = job.output_dir.parent / f"{job.kind}.log"
        socket = grants.socket and Path(os.path.relpath(grants.socket, job.output_dir))  # addresses must be short
        try:
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [
                        *_bounds(job),
                        *self._command,
                        *arguments(job, input=job.input_dir, output=job.output_dir, socket=socket),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=_environment(job, gpu=grants.gpu),
                    cwd=job.output_dir,
                    start_new_session=True,
                )
        except OSError as error:
            return could_not_start(str(error))
        try:
            stopped = Watch(job, beat, beat_seconds=self._beat_seconds).until(lambda seconds: ended(process, seconds))
        finally:
            _kill_group(process)
        tail = tail_of(log)
        return Outcome(kind=stopped or kind_of(process.returncode, tail), exit_code=process.returncode, tail=tail)


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a process ends within so many seconds."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _bounds(job: Job) -> list[str]:
    """util-linux's wrappers: resource limits, and death with the worker; none where they are not installed."""
    wrappers: list[str] = []
    if prlimit := shutil.which("prlimit"):
        wrappers += [
            prlimit,
            f"--as={job.memory_bytes}",
            f"--cpu={cpu_seconds(job)}",
            f"--fsize={job.output_bytes}",
            "--core=0",
            "--",
        ]
    if setpriv := shutil.which("setpriv"):
        wrappers += [setpriv, "--pdeathsig", "KILL", "--"]
    return wrappers


def _environment(job: Job, *, gpu: str | None) -> dict[str, str]:
    return {
        **environment(job, home=str(job.output_dir)),
        "PATH": os.defpath,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "CUDA_VISIBLE_DEVICES": gpu or "",
    }


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Nothing that the job started stays, whether it ended by itself or not."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
