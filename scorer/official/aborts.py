"""What the official evaluation would end its whole run on, kept to the sample that causes it."""

from __future__ import annotations


class OfficialAbortError(Exception):
    """The official code raises here; ``official`` is the name of its exception, the text says why.

    One sample, file or reply is concerned; the run goes on without it (docs/protocol.md, defect D13).
    """

    def __init__(self, official: str, reason: str) -> None:
        super().__init__(reason)
        self.official = official
        self.reason = reason
