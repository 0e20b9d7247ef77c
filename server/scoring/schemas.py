"""Dead letters as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from server.scoring.model import DeadLetter


class LastAttemptOut(BaseModel):
    """The attempt that was the last; `message` is the end of what the scorer printed, for operators."""

    run: UUID
    subset: str
    attempt: int
    error: str | None = Field(description="How it ended, such as `timed_out`, `out_of_memory`, `defect`.")
    message: str | None
    worker: str | None = Field(description="Which worker had it last.")


class DeadLetterOut(BaseModel):
    """A submission that failed on our side, and why."""

    submission: UUID
    benchmark: str
    model: str
    team: str
    failed_at: datetime
    code: str | None
    title: str | None
    gate_attempts: int
    last_attempt: LastAttemptOut | None = Field(description="Absent where the check of the archive failed.")
    can_be_retried: bool
    links: dict[str, str]

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        """As JSON."""
        here = f"/api/v1/submissions/{letter.submission_id}"
        last = None
        if letter.run_id is not None:
            last = LastAttemptOut(
                run=letter.run_id,
                subset=letter.subset or "",
                attempt=letter.attempt or 0,
                error=letter.error_code,
                message=letter.error_message,
                worker=letter.worker,
            )
        return cls(
            submission=letter.submission_id,
            benchmark=letter.benchmark_id,
            model=letter.model,
            team=letter.team_name,
            failed_at=letter.failed_at,
            code=letter.failure_code,
            title=letter.failure_title,
            gate_attempts=letter.gate_attempts,
            last_attempt=last,
            can_be_retried=letter.can_be_retried,
            links={"submission": here, "retry": f"{here}/retry"},
        )


class DeadLettersOut(BaseModel):
    """What we could not finish, newest first."""

    dead: list[DeadLetterOut]
    next_cursor: str | None
