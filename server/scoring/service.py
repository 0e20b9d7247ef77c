"""The worker's use-cases: check an archive, score a subset, sweep up what stands still.

Each opens its own short transactions: the work between claim and settlement takes minutes, and nothing of the database
is held meanwhile. What decides is always the fencing token in the row, never what a worker believes.
"""

from __future__ import annotations

from uuid import UUID

from server.scoring import gate, runs
from server.scoring.sweep import sweep
from server.scoring.tools import Tools


class Scoring(Tools):
    """The use-cases on one set of adapters."""

    def validate(self, submission_id: UUID) -> None:
        """Check an archive, if it still waits (``gate.py``)."""
        gate.validate(self, submission_id)

    def score(self, run_id: UUID) -> None:
        """Score one subset, if its run still waits (``runs.py``); of a team at work, another team's run first."""
        runs.score(self, run_id)

    def sweep(self) -> None:
        """Look at every state in which something is owed (``sweep.py``)."""
        sweep(self)
