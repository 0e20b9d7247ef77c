"""What the worker's use-cases work with, and what all of them do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from psycopg_pool import ConnectionPool

from scorer.contract import ProgressLine
from server.errors import StorageError
from server.jobs import JobQueue
from server.scoring.folders import Folders
from server.scoring.runner import OUTPUT_BYTES, Beat, Job, JobKind, Outcome, Runner
from server.settings import Settings
from server.storage.port import Storage

LOG = logging.getLogger("gsi.scoring")


@dataclass(frozen=True, kw_only=True)
class Tools:
    """One set of adapters; ``owner`` names this worker in leases."""

    settings: Settings
    pool: ConnectionPool
    storage: Storage
    queue: JobQueue
    runner: Runner
    owner: str

    @property
    def lease(self) -> timedelta:
        """How long a worker may be silent."""
        return timedelta(seconds=self.settings.lease_seconds)

    def launch(
        self,
        kind: JobKind,
        private: Folders,
        beat: Beat,
        *,
        timeout: float,
        read_only: tuple[Path, ...] = (),
        endpoint: str | None = None,
        environment: Mapping[str, str] | None = None,
        gpu: bool = False,
        output_bytes: int = OUTPUT_BYTES,
    ) -> Outcome:
        """Run one job to its end. It sees its folders and what is named here, nothing else."""
        job = Job(
            kind=kind,
            input_dir=private.input,
            output_dir=private.output,
            timeout=timeout,
            memory_bytes=self.settings.scorer_memory_bytes,
            threads=self.settings.scorer_threads,
            environment=environment or {},
            read_only=read_only,
            endpoint=endpoint,
            gpu=gpu,
            output_bytes=output_bytes,
        )
        return self.runner.run(job, beat)

    def now_and_then(self, beat: Callable[[], bool]) -> Callable[[], None]:
        """For work of many small steps that takes longer than a lease: a step that beats the heart when it is time.

        It raises StorageError once the lease is lost: gigabytes are not fetched for nothing.
        """
        last = time.monotonic()

        def step() -> None:
            nonlocal last
            if time.monotonic() - last > self.settings.lease_seconds / 3:
                last = time.monotonic()
                if not beat():
                    raise StorageError("The lease was lost while the archive was fetched.")

        return step


def silent(beat: Callable[[], bool]) -> Beat:
    """A beat that has no use for progress."""

    def beats(_progress: ProgressLine | None) -> bool:
        return beat()

    return beats
