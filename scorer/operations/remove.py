"""Remove: is the target gone, and only the target?

    IC = 1  if  the target was assigned to nothing, nothing new of its name appeared, at most one other object was lost
                or added, and not all other objects were lost
    SA = clip(1 - (other objects lost + other objects added) / 2, 0, 1), 0 where the target is still there

Without the last two conditions an empty picture would count as a removal.
"""

from __future__ import annotations

from scorer.operations.evidence import Change, Compliance, decided
from scorer.operations.matching import is_called

COST_OF_ANOTHER = 0.5
MOST_OTHERS = 1


def measure(change: Change) -> Compliance:
    """Judge a removal."""
    name = change.origin.label
    alike = sum(is_called(extra, name) for extra in change.extras)
    others = [found for i, found in enumerate(change.after) if i != change.target]
    others_lost = sum(found is None for found in others)
    disturbed = others_lost + len(change.extras) - alike
    emptied = bool(others) and others_lost == len(others)
    spoiled = emptied or disturbed > MOST_OTHERS
    if change.result is not None:
        reason = "the target is still there"
    elif alike:
        reason = "the target is gone, but something of its name appeared"
    elif spoiled:
        reason = "the target is gone, but too many other objects were lost or added"
    elif disturbed:
        reason = "the target is gone, but another object was lost or added too"
    else:
        reason = "the target is gone"
    return decided(
        done=change.result is None and not alike and not spoiled,
        accuracy=1 - COST_OF_ANOTHER * disturbed if change.result is None and not alike else 0.0,
        reason=reason,
        quantities={"target_found": change.result is not None, "others_lost": others_lost, "added": len(change.extras)},
    )
