"""Why a run ends without a report, and whom that concerns. Messages carry no hidden data."""

from __future__ import annotations

from scorer.contract import ExitCode


class ScorerError(Exception):
    """The run cannot go on; the message is for the operator."""

    exit_code = ExitCode.DEFECT


class BenchmarkError(ScorerError):
    """The benchmark or the run's input is inconsistent: a fault of whoever prepared it, never of the participant."""


class SubmissionError(ScorerError):
    """The archive cannot be read at all; its owner can mend it. ``code`` is the gate's."""

    exit_code = ExitCode.PARTICIPANT_DATA

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnreachableError(ScorerError):
    """Something outside could not be reached; the same call may succeed later."""

    exit_code = ExitCode.TRY_AGAIN
