"""What the evaluation of one edit returns: both scores with every quantity behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from scorer.official.candidates import Choice, origin_index
from scorer.official.truth import Detection, Truth

Stop = Literal["gate", "no_result_detections", "no_origin_box"]


@dataclass(frozen=True)
class Outcome:
    """Instruction compliance and spatial accuracy of one edit, both 0..1 (view: a fraction in both).

    ``stopped``: why both are 0 before anything was measured. ``origin``: index of the origin box. ``choice``: the
    candidate, where the operation looks for one. ``quantities``: what the formulas of docs/protocol.md name.
    """

    ic: float
    sa: float
    stopped: Stop | None = None
    origin: int | None = None
    choice: Choice | None = None
    quantities: Mapping[str, float | None] = field(default_factory=dict)


def stop(
    truth: Truth, *, origin: Sequence[Detection], result: Sequence[Detection], gate: bool, needs_result: bool = True
) -> Stop | int:
    """Why an evaluation ends before it measures, else the index of the origin box. The order is the official one."""
    if not gate:
        return "gate"
    if needs_result and not result:
        return "no_result_detections"
    index = origin_index(origin, truth.original) if origin else None
    return "no_origin_box" if index is None else index
