"""Remove: is the target gone, and only the target?

IC = 1  if  the target was assigned to nothing and nothing new of its name appeared
SA = clip(1 - (other objects lost + other objects added) / 2, 0, 1)
"""

from __future__ import annotations

from scorer.operations.evidence import Change, Compliance, decided
from scorer.operations.matching import is_called

COST_OF_ANOTHER = 0.5


def measure(change: Change) -> Compliance:
    """Judge a removal."""
    name = change.origin.label
    alike = sum(is_called(extra, name) for extra in change.extras)
    others_lost = sum(found is None for i, found in enumerate(change.after) if i != change.target)
    others_added = len(change.extras) - alike
    if change.result is not None:
        reason = "the target is still there"
    elif alike:
        reason = "the target is gone, but something of its name appeared"
    elif others_lost or others_added:
        reason = "the target is gone, but other objects were lost or added too"
    else:
        reason = "the target is gone"
    return decided(
        done=change.result is None and not alike,
        accuracy=1 - COST_OF_ANOTHER * (others_lost + others_added),
        reason=reason,
        quantities={"target_found": change.result is not None, "others_lost": others_lost, "added": len(change.extras)},
    )
