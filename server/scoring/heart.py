"""The heartbeat of a run under its lease."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from scorer.contract import ProgressLine
from server.db.pool import transaction
from server.errors import StorageError, UnavailableError
from server.scoring import store
from server.scoring.model import Run
from server.scoring.tools import LOG, Tools

PASSING = (UnavailableError, StorageError, psycopg.OperationalError)
"""What may pass: the database or the storage does not answer now."""
_PAUSE_SECONDS = 0.5


def patiently(act: Callable[[], None], *, seconds: float) -> None:
    """Do it again for so long while its failure may pass. Raises what it raised last."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except PASSING:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)


class LeaseLostError(Exception):
    """The run is no longer ours, or no longer wanted."""


class Heart:
    """Tells the database that a run's worker lives.

    What does not answer for a moment is no reason to stop: the work goes on until the lease must have run out.
    """

    def __init__(self, tools: Tools, run: Run) -> None:
        self._tools = tools
        self._run = run
        self._last = time.monotonic()

    def beat(self, progress: ProgressLine | None = None) -> bool:
        """Prolong the lease and note how far the run is; False when the work is to be stopped."""
        try:
            with transaction(self._tools.pool) as conn:
                ours = store.beat_run(conn, self._run, progress, lease=self._tools.lease)
        except (UnavailableError, psycopg.OperationalError):
            LOG.warning("run %s: the database does not answer", self._run.id)
            return time.monotonic() - self._last < self._tools.settings.lease_seconds
        self._last = time.monotonic()
        return ours

    def insist(self, act: Callable[[], bool]) -> None:
        """Do what must be done before the run can go on, again for a lease's time while its failure may pass.

        Raises LeaseLostError where ``act`` says so, and what it raised last.
        """
        deadline = time.monotonic() + self._tools.settings.lease_seconds
        while True:
            try:
                if not act():
                    raise LeaseLostError
            except PASSING:
                if time.monotonic() > deadline or not self.beat():
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return
