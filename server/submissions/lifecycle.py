"""The states of a submission and the only allowed moves.

    created ─▶ uploaded ─▶ validating ─┬─▶ rejected
                                       └─▶ queued ─▶ scoring ─▶ scored ◀─▶ published
    uploaded, validating, queued, scoring ─▶ failed ─▶ uploaded   (a maintainer's retry)
    any but rejected ─▶ withdrawn

`rejected` is the participant's: it says what to fix. `failed` is ours: it costs nothing and may be tried again.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a submission stands."""

    CREATED = "created"
    UPLOADED = "uploaded"
    VALIDATING = "validating"
    REJECTED = "rejected"
    QUEUED = "queued"
    SCORING = "scoring"
    SCORED = "scored"
    PUBLISHED = "published"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


TITLES = {
    State.CREATED: "Waiting for the archive",
    State.UPLOADED: "Waiting for the check",
    State.VALIDATING: "Checking the archive",
    State.REJECTED: "Rejected: the archive needs mending",
    State.QUEUED: "Waiting for a scorer",
    State.SCORING: "Scoring",
    State.SCORED: "Scored, not published",
    State.PUBLISHED: "Published",
    State.FAILED: "Failed on our side",
    State.WITHDRAWN: "Withdrawn",
}

MOVES: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.UPLOADED, State.WITHDRAWN}),
    State.UPLOADED: frozenset({State.VALIDATING, State.FAILED, State.WITHDRAWN}),
    State.VALIDATING: frozenset({State.REJECTED, State.QUEUED, State.FAILED, State.WITHDRAWN}),
    State.QUEUED: frozenset({State.SCORING, State.FAILED, State.WITHDRAWN}),
    State.SCORING: frozenset({State.SCORED, State.FAILED, State.WITHDRAWN}),
    State.SCORED: frozenset({State.PUBLISHED, State.WITHDRAWN}),
    State.PUBLISHED: frozenset({State.SCORED, State.WITHDRAWN}),
    State.FAILED: frozenset({State.UPLOADED, State.WITHDRAWN}),
    State.REJECTED: frozenset(),
    State.WITHDRAWN: frozenset(),
}

UNSETTLED = frozenset({State.UPLOADED, State.VALIDATING, State.QUEUED, State.SCORING})
"""States in which work of ours is owed; the sweep looks at all of them."""


def sources_of(target: State) -> list[State]:
    """The states from which a submission may move to ``target``."""
    return [state for state, targets in MOVES.items() if target in targets]
