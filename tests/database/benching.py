"""The worker's use-cases driven by hand: a real database, a real process as the scorer, no HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from server.benchmarks.service import Registered
from server.db.pool import transaction
from server.jobs import RecordingQueue
from server.scoring.service import Scoring
from server.submissions import store as submissions
from server.submissions.lifecycle import State
from server.submissions.model import NewSubmission, Submission
from server.teams import store as teams


class Bench:
    """A service without HTTP: one submission's life, driven by hand."""

    def __init__(self, scoring: Scoring, blocks: Registered, plan: Path) -> None:
        self.scoring = scoring
        self.blocks = blocks
        self._plan = plan
        self.plan(gate="accept", score="ok")

    @property
    def queue(self) -> RecordingQueue:
        assert isinstance(self.scoring.queue, RecordingQueue)
        return self.scoring.queue

    def plan(self, *, gate: str = "accept", score: str = "ok", **more: Any) -> None:
        executed = str(self.executed)
        self._plan.write_text(json.dumps({"gate": gate, "score": score, "executed": executed, **more}))

    @property
    def executed(self) -> Path:
        """A line for each sample that a scorer measured."""
        return self._plan.with_name("executed.txt")

    def settings(self, **changes: Any) -> None:
        """Go on with other settings."""
        self.scoring = replace(self.scoring, settings=self.scoring.settings.model_copy(update=changes))

    def uploaded(self, *, team: str = "Owners") -> UUID:
        with transaction(self.scoring.pool) as conn:
            made = submissions.add(
                conn,
                NewSubmission(benchmark="blocks", model="M"),
                team_id=teams.find_or_make_team(conn, name=team).id,
                benchmark_version=self.blocks.version,
                protocol="gsi-fair-1",
            )
            key = f"submissions/{made}/a.zip"
            stored = self.scoring.storage.put(key, [b"an archive"], max_bytes=100)
            assert submissions.move(conn, made, State.UPLOADED)
            submissions.set_archive(conn, made, key=key, stored=stored)
        return made

    def queued(self, *, team: str = "Owners") -> list[UUID]:
        """An accepted submission's runs."""
        made = self.uploaded(team=team)
        before = len(self.queue.scored)
        self.scoring.validate(made)
        return self.queue.scored[before:]

    def get(self, submission_id: UUID) -> Submission:
        with transaction(self.scoring.pool) as conn:
            found = submissions.get(conn, submission_id)
        assert found is not None
        return found

    def owner_of(self, run_id: UUID) -> UUID:
        return UUID(str(self.value("select submission_id from runs where id = %s", run_id)))

    def value(self, query: str, *parameters: Any) -> Any:
        with transaction(self.scoring.pool) as conn:
            row = conn.execute(query.encode(), parameters).fetchone()
        return row[0] if row else None

    def run(self, query: str, *parameters: Any) -> None:
        with transaction(self.scoring.pool) as conn:
            conn.execute(query.encode(), parameters)
