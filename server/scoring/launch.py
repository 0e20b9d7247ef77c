"""What every runner does before it starts a job: finds its GPU and its judge, and names its environment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from server.scoring.gpus import Gpus
from server.scoring.relay import relay
from server.scoring.runner import Beat, Job, Outcome, OutcomeKind


class Grants(NamedTuple):
    """What one job got: the socket that leads to its judge, a GPU."""

    socket: Path | None
    gpu: str | None


def launched(job: Job, beat: Beat, *, gpus: Gpus, start: Callable[[Grants], Outcome]) -> Outcome:
    """The outcome of ``start``, called with what the job asks for. Waiting for a GPU is not the job's time."""
    if job.gpu and not gpus.names:
        return could_not_start("the job needs a GPU and GSI_GPUS names none")
    with gpus.one(lambda: beat(None)) if job.gpu else nullcontext() as gpu:
        if job.gpu and gpu is None:
            return Outcome(kind=OutcomeKind.CANCELLED, exit_code=None, tail="")
        with relay(job.endpoint, folder=job.output_dir.parent) as socket:
            return start(Grants(socket, gpu))


def could_not_start(why: str) -> Outcome:
    """A job that never ran; ``why`` is for operators."""
    return Outcome(kind=OutcomeKind.COULD_NOT_START, exit_code=None, tail=why)


def environment(job: Job, *, home: str) -> dict[str, str]:
    """All that a job sees of us: no credentials but those that it is given, no settings. ``home``: its own folder."""
    threads = str(job.threads)
    return {
        **job.environment,
        "LANG": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        "USER": "scorer",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
    }


def cpu_seconds(job: Job) -> int:
    """The processor time that a job cannot need more of."""
    return int(job.timeout * max(job.threads, 1)) + 10
