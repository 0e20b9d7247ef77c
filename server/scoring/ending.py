"""What an exit status says."""

from __future__ import annotations

import signal
from pathlib import Path

from scorer.contract import ExitCode
from server.scoring.runner import OutcomeKind

TAIL_BYTES = 4096
_SIGNALS_FROM = 128
"""A shell and what stands in for one tell an end by signal n as status 128 + n."""
_OUT_OF_MEMORY = ("out of memory", "MemoryError", "DefaultCPUAllocator")
_NOT_RUN = {126, 127}
_OF_EXIT_CODE = {
    ExitCode.OK: OutcomeKind.OK,
    ExitCode.PARTICIPANT_DATA: OutcomeKind.PARTICIPANT,
    ExitCode.DEFECT: OutcomeKind.DEFECT,
    ExitCode.TRY_AGAIN: OutcomeKind.RETRY,
}
_OF_SIGNAL = {int(signal.SIGXCPU): OutcomeKind.TIMED_OUT, int(signal.SIGXFSZ): OutcomeKind.TOO_MUCH_OUTPUT}


def kind_of(status: int, tail: str) -> OutcomeKind:
    """How a job ended; ``status`` below 0 is a signal, as `subprocess` tells it, and so is one above 128."""
    if status not in {ExitCode.OK, ExitCode.PARTICIPANT_DATA} and any(sign in tail for sign in _OUT_OF_MEMORY):
        return OutcomeKind.OUT_OF_MEMORY
    if status in _OF_EXIT_CODE:
        return _OF_EXIT_CODE[ExitCode(status)]
    if status < 0 or status > _SIGNALS_FROM:
        return _OF_SIGNAL.get(abs(status) % _SIGNALS_FROM, OutcomeKind.KILLED)
    return OutcomeKind.COULD_NOT_START if status in _NOT_RUN else OutcomeKind.DEFECT


def tail_of(log: Path) -> str:
    """The end of what a job printed."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        return file.read(TAIL_BYTES).decode(errors="replace")
