"""The port of the queue: hints that something waits. The table is the truth; a hint may be lost or doubled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID


class JobQueue(Protocol):
    """Tells workers what waits. Call after commit, with ids only. A hint never raises: the sweep repairs a lost one."""

    def validate(self, submission_id: UUID) -> None:
        """An archive waits for the gate."""
        ...

    def score(self, run_id: UUID) -> None:
        """A run waits for a scorer."""
        ...

    def check(self) -> None:
        """Raises QueueError when nobody can be told now; the one method that raises."""
        ...


@dataclass
class RecordingQueue:
    """A queue that only remembers what it was told; for tests."""

    validated: list[UUID] = field(default_factory=list)
    scored: list[UUID] = field(default_factory=list)

    def validate(self, submission_id: UUID) -> None:
        """See `JobQueue.validate`."""
        self.validated.append(submission_id)

    def score(self, run_id: UUID) -> None:
        """See `JobQueue.score`."""
        self.scored.append(run_id)

    def check(self) -> None:
        """See `JobQueue.check`: memory is always there."""
