"""Progress as values."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from server.submissions.lifecycle import UNSETTLED, State


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one submission is. ``p50`` and ``p90``: seconds until half (nine in ten) like it were ready.

    ``position``: how many wait before it; None where it waits for nobody. ``done`` of ``total`` samples are measured.
    ``estimable``: whether the history holds runs of each of its subsets.
    """

    id: UUID
    state: State
    position: int | None
    done: int
    total: int
    stage: str | None
    p50: float | None
    p90: float | None
    estimable: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))

    @property
    def at_rest(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state not in UNSETTLED and self.state is not State.CREATED

    @property
    def estimate(self) -> tuple[int, int] | None:
        """p50 and p90 in whole seconds; None where nothing is awaited or nothing is known."""
        if self.state not in UNSETTLED or not self.estimable or self.p50 is None or self.p90 is None:
            return None
        return round(self.p50), round(max(self.p50, self.p90))
