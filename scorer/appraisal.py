"""From a measured sample, while its picture is at hand, to what is kept of it and to its report."""

from __future__ import annotations

from scorer.chunks import Appearance, Judged, MeasuredEdit
from scorer.contract import SampleReport
from scorer.deviations import Profile
from scorer.reporting import Answer, bounded, ended, share
from scorer.sample import Measured


def appraised(item: Measured, answer: Answer | None, profile: Profile) -> SampleReport:
    """AC of one sample, and its report. ``answer``: None where nobody was asked.

    Where the edit was not made, an answer changes no number, so nobody needs to be asked.
    """
    unseen = Appearance(target=None, distance=None, judged=Judged(score=None, reason="")) if item.done else None
    return ended(item.task.sample, recorded(item, unseen), answer, profile)


def recorded(item: Measured, appearance: Appearance | None) -> MeasuredEdit:
    """A measured sample as a chunk keeps it; ``appearance`` exactly where the edit was made."""
    return MeasuredEdit(
        status=item.status,
        reason=item.reason,
        made=item.done,
        compliance=share(item.compliance),
        accuracy=share(item.accuracy),
        locality=share(item.locality),
        explanation={name: bounded(part) for name, part in item.explanation.items()},
        appearance=appearance,
    )
