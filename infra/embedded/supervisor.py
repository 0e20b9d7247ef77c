"""Keeps a few programs alive, and ends them in order."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from infra.embedded import process
from infra.embedded.process import StartError

_LOG = logging.getLogger("gsi.stack")
_BACKOFF_SECONDS = (0.5, 1, 2, 5, 10, 30)
_CALM_SECONDS = 60


@dataclass
class Child:
    """One supervised program: how to start it, what it inherits, how long it may take to stop (seconds)."""

    name: str
    argv: Sequence[str]
    grace: float = 5
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    restarts: int = 0
    restart_at: float = field(default=0)


class Part(Protocol):
    """Something that was started elsewhere, is started again here, and keeps its address (a database, a broker)."""

    @property
    def pid(self) -> int | None:
        """Its process id; None while it does not run."""

    def start(self) -> str:
        """Start it again. Raises StartError."""


@dataclass
class Watched:
    """A part, and when to try next."""

    name: str
    part: Part
    restarts: int = 0
    restart_at: float = 0
    started_at: float = 0


class Supervisor:
    """Starts children in the order added, restarts those that die, stops them in the reverse order.

    A child that dies takes its whole process group with it before it is started again, so two generations never work at
    once. Use from the main thread: children are tied to it by the kernel.
    """

    def __init__(self, *, log_dir: Path, env: Mapping[str, str]) -> None:
        self._log_dir = log_dir
        self._env = dict(env)
        self._children: list[Child] = []
        self._watched: list[Watched] = []

    def add(self, name: str, argv: Sequence[str], *, grace: float = 5, pass_fds: Sequence[int] = ()) -> None:
        """Start one more child; it inherits the file descriptors ``pass_fds``, which must stay open."""
        child = Child(name=name, argv=argv, grace=grace, pass_fds=tuple(pass_fds))
        self._children.append(child)
        self._start(child)

    def watch(self, name: str, part: Part) -> None:
        """Restart ``part`` too when it dies; whoever started it stops it."""
        self._watched.append(Watched(name=name, part=part))

    def pids(self) -> dict[str, int]:
        """Process ids of the children that run, by name."""
        return {c.name: c.process.pid for c in self._children if c.process and c.process.poll() is None}

    def log_of(self, name: str) -> Path:
        """Where a child's output goes."""
        return self._log_dir / f"{name}.log"

    def tend(self) -> None:
        """Look at everything once; restart what ended, each time a little later."""
        now = time.monotonic()
        for watched in self._watched:
            if watched.part.pid is None and now >= watched.restart_at:
                self._revive(watched, now)
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, now)
            if child.process is None and now >= child.restart_at:
                self._start(child)

    def stop(self) -> None:
        """End every child, last one first; who does not go in its grace is killed with its group."""
        for child in reversed(self._children):
            if child.process is not None:
                process.stop(child.process, signal.SIGTERM, timeout=child.grace)
                process.kill_group(child.process.pid)
                child.process = None

    def _start(self, child: Child) -> None:
        argv = process.tied_to_parent(child.argv, signal.SIGTERM)
        child.process = process.spawn(argv, log=self.log_of(child.name), env=self._env, pass_fds=child.pass_fds)
        child.started_at = time.monotonic()

    def _revive(self, watched: Watched, now: float) -> None:
        wait = _wait_before_restart(watched, now)
        watched.restart_at = now + wait
        _LOG.warning("%s ended; starting it again", watched.name)
        try:
            watched.part.start()
        except StartError as error:
            _LOG.error("%s does not start, trying again in %g s: %s", watched.name, wait, error)
        watched.started_at = time.monotonic()

    def _bury(self, child: Child, now: float) -> None:
        assert child.process is not None  # noqa: S101 - tend() looked
        process.kill_group(child.process.pid)
        wait = _wait_before_restart(child, now)
        _LOG.warning(
            "%s ended (status %s); starting it again in %g s. Its log: %s",
            child.name,
            child.process.returncode,
            wait,
            self.log_of(child.name),
        )
        child.restart_at = now + wait
        child.process = None


def _wait_before_restart(fallen: Child | Watched, now: float) -> float:
    """Longer each time, unless it had run calmly."""
    if now - fallen.started_at > _CALM_SECONDS:
        fallen.restarts = 0
    fallen.restarts += 1
    return _BACKOFF_SECONDS[min(fallen.restarts, len(_BACKOFF_SECONDS)) - 1]


def python(*arguments: str) -> list[str]:
    """A command line of this very interpreter."""
    return [sys.executable, *arguments]
