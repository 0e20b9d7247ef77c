"""Looks at a job while it works: whether it may go on, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from pydantic import ValidationError

from scorer.contract import ProgressLine
from server.scoring import outputs
from server.scoring.runner import OUTPUT_FILES, Beat, Job, OutcomeKind

_PROGRESS = "progress.jsonl"
_PROGRESS_TAIL_BYTES = 4096
_LONGEST_TICK = 0.2


class Watch:
    """One job's clock, output and, where ``memory`` tells it, use of memory in bytes."""

    def __init__(
        self, job: Job, beat: Beat, *, beat_seconds: float = 1.0, memory: Callable[[], int] | None = None
    ) -> None:
        self._job = job
        self._beat = beat
        self._beat_seconds = beat_seconds
        self._memory = memory

    def until(self, ended: Callable[[float], bool]) -> OutcomeKind | None:
        """Look on until ``ended`` (which waits so many seconds at most) is true.

        The kind says why the job must be stopped, or what it did wrong at its end; None that it ended by itself.
        """
        now = time.monotonic()
        deadline, next_beat = now + self._job.timeout, now + self._beat_seconds
        while not ended(min(self._beat_seconds, _LONGEST_TICK)):
            now = time.monotonic()
            if now > deadline:
                return OutcomeKind.TIMED_OUT
            if self._memory is not None and self._memory() > self._job.memory_bytes:
                return OutcomeKind.OUT_OF_MEMORY
            if self._overflows():
                return OutcomeKind.TOO_MUCH_OUTPUT
            if now >= next_beat:
                next_beat = now + self._beat_seconds
                if not self._beat(newest_progress(self._job)):
                    return OutcomeKind.CANCELLED
        return OutcomeKind.TOO_MUCH_OUTPUT if self._overflows() else None

    def _overflows(self) -> bool:
        return outputs.exceeds(self._job.output_dir, most_bytes=self._job.output_bytes, most_files=OUTPUT_FILES)


def newest_progress(job: Job) -> ProgressLine | None:
    """The last complete, valid line of the job's progress; None while there is none."""
    try:
        text = outputs.read_end(job.output_dir, _PROGRESS, most_bytes=_PROGRESS_TAIL_BYTES)
    except outputs.OutputError:
        return None
    for line in reversed(text.split(b"\n")[:-1]):
        try:
            return ProgressLine.model_validate_json(line)
        except ValidationError:
            continue
    return None
