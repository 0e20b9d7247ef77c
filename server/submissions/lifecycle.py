"""The states of a submission and the only allowed moves.

    created ─▶ uploaded ─▶ validating ─┬─▶ rejected
                                       └─▶ queued ─▶ scoring ─▶ scored ◀─▶ published
                                                                   ◀─▶ embargoed ─▶ published   (on its day)
    uploaded, validating, queued, scoring ─▶ failed ─▶ uploaded   (a maintainer's retry)
    published ◀─▶ delisted                                        (a maintainer, with a reason)
    scored, embargoed, published, delisted ─▶ disqualified ─▶ scored   (a maintainer, with a reason)
    any but rejected ─▶ withdrawn

`rejected` is the participant's: it says what to fix. `failed` is ours: it costs nothing and may be tried again.
Only `published` is on the board. A delisted entry is a maintainer's to show again, so that no team undoes it.
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
    EMBARGOED = "embargoed"
    DELISTED = "delisted"
    DISQUALIFIED = "disqualified"


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
    State.EMBARGOED: "Scored, to be published on its day",
    State.DELISTED: "Taken off the board by a maintainer",
    State.DISQUALIFIED: "Disqualified",
}

MOVES: dict[State, frozenset[State]] = {
    State.CREATED: frozenset({State.UPLOADED, State.WITHDRAWN}),
    State.UPLOADED: frozenset({State.VALIDATING, State.FAILED, State.WITHDRAWN}),
    State.VALIDATING: frozenset({State.REJECTED, State.QUEUED, State.FAILED, State.WITHDRAWN}),
    State.QUEUED: frozenset({State.SCORING, State.FAILED, State.WITHDRAWN}),
    State.SCORING: frozenset({State.SCORED, State.FAILED, State.WITHDRAWN}),
    State.SCORED: frozenset({State.PUBLISHED, State.EMBARGOED, State.DISQUALIFIED, State.WITHDRAWN}),
    State.EMBARGOED: frozenset({State.SCORED, State.PUBLISHED, State.DISQUALIFIED, State.WITHDRAWN}),
    State.PUBLISHED: frozenset({State.SCORED, State.DELISTED, State.DISQUALIFIED, State.WITHDRAWN}),
    State.DELISTED: frozenset({State.PUBLISHED, State.DISQUALIFIED, State.WITHDRAWN}),
    State.DISQUALIFIED: frozenset({State.SCORED, State.WITHDRAWN}),
    State.FAILED: frozenset({State.UPLOADED, State.WITHDRAWN}),
    State.REJECTED: frozenset(),
    State.WITHDRAWN: frozenset(),
}

UNSETTLED = frozenset({State.UPLOADED, State.VALIDATING, State.QUEUED, State.SCORING})
"""States in which work of ours is owed; the sweep looks at all of them."""


SHOWING_SCORES = frozenset({State.SCORED, State.EMBARGOED, State.PUBLISHED, State.DELISTED, State.DISQUALIFIED})
"""States in which a submission's numbers stand and its team sees them."""

AT_WORK = frozenset({State.CREATED, *UNSETTLED})
"""States that hold one of the places a team has at once."""

COST_NOTHING = frozenset({State.REJECTED, State.FAILED})
"""States that give the quota back."""


def sources_of(target: State) -> list[State]:
    """The states from which a submission may move to ``target``."""
    return [state for state, targets in MOVES.items() if target in targets]
