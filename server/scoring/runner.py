"""The port through which the worker launches a scorer: files in, files out, an outcome.

A job's ``input_dir`` and ``output_dir`` are the whole contract (``server/scoring/command.py`` says which verb reads and
writes what), with the exit codes of ``scorer/contract.py``. Three adapters keep it: a container (production),
bubblewrap (one machine), a bare process (development). ``docs/operations.md`` lists what each promises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from scorer.contract import ProgressLine

OUTPUT_BYTES = 512 * 1024 * 1024
"""What a job may leave in its output folder, if nothing else is said."""
OUTPUT_FILES = 10_000
"""How many files and folders a job may leave."""


class JobKind(StrEnum):
    """Which verb of the scorer."""

    GATE = "gate"
    ORIGINALS = "originals"
    MEASURE = "measure"
    JUDGE = "judge"
    AGGREGATE = "aggregate"


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
    TOO_MUCH_OUTPUT = "too_much_output"
    """It wrote more than it may; stopped by us."""
    KILLED = "killed"
    """Ended by a signal that we did not send."""
    COULD_NOT_START = "could_not_start"
    """The scorer never ran: no image, no engine, no program, or a path that its user may not read."""
    CANCELLED = "cancelled"
    """Stopped by us because the caller no longer wanted it (a lost lease, a withdrawn submission)."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to run, what it may see, and within which bounds.

    ``input_dir``: shown to the job read-only. ``output_dir``: an empty folder, the only place that it may write to; its
    parent holds nothing but these two folders and is private to the worker. ``timeout``: seconds. ``memory_bytes``,
    ``output_bytes``: at most. ``threads``: of computing. ``environment``: variables beside the runner's own.
    ``read_only``: absolute paths made visible at the same path (weights, a model's folder, kept originals); a worker
    that is root runs the job as another user, who must be able to read them. ``endpoint``: base URL of the judge, the
    one thing that this job may reach; it gets a unix socket that leads there and nowhere else, named by an argument.
    ``gpu``: whether it gets a GPU, for itself alone.
    """

    kind: JobKind
    input_dir: Path
    output_dir: Path
    timeout: float
    memory_bytes: int
    threads: int = 1
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    read_only: tuple[Path, ...] = ()
    endpoint: str | None = None
    gpu: bool = False
    output_bytes: int = OUTPUT_BYTES


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
