"""The port through which the worker launches a scorer: files in, files out, an outcome.

A job's ``input_dir`` and ``output_dir`` are the whole contract (see ``scorer/__main__.py``):

    gate    input   submission.zip, benchmark.json
            output  verdict.json
    score   input   manifest.json, benchmark.json, originals/, truth/, submission.zip, instruments.json
            output  report.json, progress.jsonl
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from scorer.contract import ProgressLine


class JobKind(StrEnum):
    """Which verb of the scorer."""

    GATE = "gate"
    SCORE = "score"


class OutcomeKind(StrEnum):
    """How a job ended, told apart because each has another reader and another remedy."""

    OK = "ok"
    PARTICIPANT = "participant"
    """The submission cannot be scored; its owner can mend it."""
    DEFECT = "defect"
    """A fault of ours; trying again will not help."""
    RETRY = "retry"
    """A passing fault that the scorer itself reported."""
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED = "killed"
    """Ended by a signal that we did not send."""
    COULD_NOT_START = "could_not_start"
    CANCELLED = "cancelled"
    """Stopped by us because the caller no longer wanted it (a lost lease, a withdrawn submission)."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run and within which bounds: ``timeout`` in seconds, ``memory_bytes`` of address space.

    ``environment``: variables that the job gets beside the runner's own.
    """

    kind: JobKind
    input_dir: Path
    output_dir: Path
    timeout: float
    memory_bytes: int
    threads: int = 1
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job ended. ``tail`` is the end of what it printed: for operators, never for participants."""

    kind: OutcomeKind
    exit_code: int | None
    tail: str


Beat = Callable[[ProgressLine | None], bool]
"""Called about once a second with the newest progress; False asks the runner to stop the job."""


class Runner(Protocol):
    """Runs one job to its end, within its bounds, and leaves nothing of it running."""

    name: str

    def run(self, job: Job, beat: Beat) -> Outcome:
        """Launch ``job``, call ``beat`` while it works, and tell how it ended. Never raises for what the job does."""
        ...
