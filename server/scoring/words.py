"""What a team reads when we could not finish; never a hidden value, never a vendor's words."""

from __future__ import annotations

from typing import NamedTuple

from server.scoring.runner import OutcomeKind


class Words(NamedTuple):
    """A stable code, a title, a remedy."""

    code: str
    title: str
    remedy: str


_OURS = "Nothing is wrong with your files. The maintainers have been told and can try again; it cost you nothing."

GATE_WORDS = Words("gate-failed", "The archive could not be checked.", _OURS)
SCORE_WORDS = Words("scoring-failed", "The submission could not be scored.", _OURS)
_BY_KIND = {
    OutcomeKind.TIMED_OUT: Words(
        "timed-out",
        "The submission took longer than allowed.",
        "Smaller images are faster. The maintainers have been told and can try again.",
    ),
    OutcomeKind.OUT_OF_MEMORY: Words(
        "out-of-memory",
        "The submission needed more memory than allowed.",
        "Smaller images need less. The maintainers have been told and can try again.",
    ),
}

RETRYABLE = frozenset(
    {
        OutcomeKind.RETRY,
        OutcomeKind.KILLED,
        OutcomeKind.COULD_NOT_START,
        OutcomeKind.OUT_OF_MEMORY,
        OutcomeKind.TIMED_OUT,
    }
)
"""Ends after which another attempt may succeed. A defect of ours would only be repeated."""


def words_for(kind: OutcomeKind, otherwise: Words) -> Words:
    """The words for an end of that kind."""
    return _BY_KIND.get(kind, otherwise)
