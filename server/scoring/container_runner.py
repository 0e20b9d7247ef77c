"""The runner for production: each job in a container of its own, which knows nothing and reaches nothing.

Image by digest, never pulled; no network; a read-only root and one folder to write to, its size watched; no capability,
no new privilege, the engine's seccomp filter; a user who is not root; bounds on memory, swap, processes and time.
Containers carry the name of a lock that their worker holds: whoever finds one whose lock is free removes it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from uuid import uuid4

from server.scoring.command import arguments
from server.scoring.containers import Engine, EngineError, Plan
from server.scoring.ending import TAIL_BYTES, kind_of
from server.scoring.gpus import Gpus
from server.scoring.handover import UnreadableError, hand_over, user_of_jobs
from server.scoring.launch import Grants, could_not_start, cpu_seconds, environment, launched
from server.scoring.runner import Beat, Job, Outcome, OutcomeKind
from server.scoring.watch import Watch

PROCESSES = 256
_NOBODY = 10_001
"""Whom jobs run as where the worker is root: the image's own user."""
_LABEL = "org.gsi-bench"
_LOCK, _ENDS = f"{_LABEL}.lock", f"{_LABEL}.ends"
_GRACE_SECONDS = 600
_INPUT, _OUTPUT, _SOCKET = PurePosixPath("/input"), PurePosixPath("/output"), PurePosixPath("/run/judge.sock")
_OFTEN, _SELDOM = 0.02, 0.2
"""Seconds between two looks at a container: at first, and once it has worked for ten times the second."""


class ContainerRunner:
    """Runs jobs in containers of ``image`` (``name@sha256:…`` or ``sha256:…``).

    ``work_dir``: the folder of the jobs, which the engine sees under the same path. ``entrypoint``: instead of the
    image's own, for tests.
    """

    name = "container"

    def __init__(
        self,
        *,
        engine: Engine,
        image: str,
        work_dir: Path,
        gpus: Gpus,
        processes: int = PROCESSES,
        entrypoint: Sequence[str] | None = None,
        beat_seconds: float = 1.0,
    ) -> None:
        self._engine = engine
        self._image = image
        self._gpus = gpus
        self._processes = processes
        self._entrypoint = entrypoint
        self._beat_seconds = beat_seconds
        self._mark = _Mark(work_dir / "containers")
        with suppress(EngineError):  # the first job will say so
            self.sweep()

    def run(self, job: Job, beat: Beat) -> Outcome:
        """See `Runner.run`."""
        return launched(job, beat, gpus=self._gpus, start=lambda grants: self._run(job, beat, grants))

    def _run(self, job: Job, beat: Beat, grants: Grants) -> Outcome:
        try:
            self.sweep()
            hand_over(job, user_of_jobs(if_root=_NOBODY))
            container = self._engine.start(self._plan(job, grants))
        except (OSError, UnreadableError, EngineError) as error:
            return could_not_start(str(error))
        try:
            return self._watched(container, job, beat)
        except EngineError as error:
            return Outcome(kind=OutcomeKind.KILLED, exit_code=None, tail=str(error))
        finally:
            with suppress(EngineError):  # then the sweep removes it
                self._engine.remove(container)

    def _watched(self, container: str, job: Job, beat: Beat) -> Outcome:
        began = time.monotonic()

        def is_over(seconds: float) -> bool:
            until = time.monotonic() + seconds
            while self._engine.state(container).running:
                now = time.monotonic()
                if now >= until:
                    return False
                time.sleep(_OFTEN if now - began < 10 * _SELDOM else _SELDOM)
            return True

        stopped = Watch(job, beat, beat_seconds=self._beat_seconds).until(is_over)
        state = self._engine.state(container)
        tail = self._engine.tail(container, most_bytes=TAIL_BYTES)
        if stopped is not None:
            return Outcome(kind=stopped, exit_code=None if state.running else state.exit_code, tail=tail)
        if state.out_of_memory and state.exit_code != 0:
            return Outcome(kind=OutcomeKind.OUT_OF_MEMORY, exit_code=state.exit_code, tail=tail)
        kind = OutcomeKind.COULD_NOT_START if state.trouble else kind_of(state.exit_code, tail)
        return Outcome(kind=kind, exit_code=state.exit_code, tail=tail or state.trouble)

    def _plan(self, job: Job, grants: Grants) -> Plan:
        mounts: dict[PurePosixPath, tuple[Path, bool]] = {PurePosixPath(path): (path, False) for path in job.read_only}
        mounts |= {_INPUT: (job.input_dir, False), _OUTPUT: (job.output_dir, True)}
        if grants.socket is not None:
            mounts[_SOCKET] = (grants.socket, False)
        return Plan(
            image=self._image,
            entrypoint=self._entrypoint,
            command=arguments(job, input=_INPUT, output=_OUTPUT, socket=_SOCKET if grants.socket else None),
            user=user_of_jobs(if_root=_NOBODY),
            environment={
                **environment(job, home="/tmp"),  # noqa: S108 - the container's own
                "NVIDIA_VISIBLE_DEVICES": grants.gpu or "void",  # an image may ask for all by itself
            },
            mounts=mounts,
            working_dir=_OUTPUT,
            memory_bytes=job.memory_bytes,
            processes=self._processes,
            threads=job.threads,
            file_bytes=job.output_bytes,
            cpu_seconds=cpu_seconds(job),
            gpu=grants.gpu,
            labels={_LOCK: str(self._mark.file), _ENDS: str(int(time.time() + job.timeout + _GRACE_SECONDS))},
        )

    def sweep(self) -> None:
        """Remove what a killed worker left behind, and whatever outlived its time. Raises EngineError."""
        for container, labels in self._engine.labelled(_LOCK).items():
            if self._mark.is_free(Path(labels[_LOCK])) or float(labels.get(_ENDS, "inf")) < time.time():
                self._engine.remove(container)
        self._mark.forget_others()


class _Mark:
    """A lock in ``folder`` that is held as long as this process lives."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self.file = folder / f"{uuid4()}.lock"
        unlocked = self.file.with_suffix(".new")
        self._handle = os.open(unlocked, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        unlocked.rename(self.file)  # nobody ever finds it free while we live

    def forget_others(self) -> None:
        """Delete the locks of workers that are gone."""
        for file in self._folder.glob("*.lock"):
            if self.is_free(file):
                file.unlink(missing_ok=True)

    def is_free(self, file: Path) -> bool:
        """Whether the worker that held a lock of this folder is gone; of others' folders nobody here can tell."""
        if file.parent != self._folder or file == self.file:
            return False
        try:
            handle = os.open(file, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True
