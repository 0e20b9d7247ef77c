"""Progress as JSON."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field

from server.submissions.lifecycle import TITLES, State
from server.submissions.progress.model import Progress


class EstimateOut(BaseModel):
    """Seconds until it is ready, by the latest runs of the same subsets: half are by p50, nine in ten by p90."""

    p50: int
    p90: int


class ProgressOut(BaseModel):
    """How far a submission is: ``done`` of ``total`` samples. ``position``: how many wait before it."""

    id: UUID
    state: State
    state_title: str
    at_rest: bool = Field(description="Nothing more will happen by itself.")
    position: int | None
    stage: str | None
    done: int
    total: int
    estimate: EstimateOut | None

    @classmethod
    def of(cls, found: Progress) -> ProgressOut:
        """As its team sees it."""
        estimate = found.estimate
        return cls(
            id=found.id,
            state=found.state,
            state_title=TITLES[found.state],
            at_rest=found.at_rest,
            position=found.position,
            stage=found.stage,
            done=found.done,
            total=found.total,
            estimate=EstimateOut(p50=estimate[0], p90=estimate[1]) if estimate else None,
        )
