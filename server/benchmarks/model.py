"""Benchmarks as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Kind = Literal["scored", "published"]


class Dimension(NamedTuple):
    """One column of a board: ``label`` for its head, ``title`` in words."""

    id: str
    label: str
    title: str
    unit: str = "0–100"


SCORED_DIMENSIONS = (
    Dimension("ic", "IC", "Instruction Compliance"),
    Dimension("sa", "SA", "Spatial Accuracy"),
    Dimension("ac", "AC", "Appearance Consistency"),
    Dimension("el", "EL", "Edit Locality"),
    Dimension("avg", "Avg", "Mean of IC, SA, AC and EL"),
)
"""The columns of every board whose numbers follow the protocol."""

OPERATIONS = ("move", "rotate", "scale", "remove", "view", "place")


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One benchmark; ``dimensions`` are objects {id, label, title, unit}; ``current_version`` is None if not scored.

    ``protocols``: every profile that has a board, ``protocol``, which ranks, first. ``missing_instruments``: what the
    present content is scored with and this installation does not have, in words ("detector x").
    """

    id: str
    title: str
    description: str
    kind: Kind
    protocol: str
    dimensions: list[dict[str, str]]
    ranked_by: str
    operations: list[str]
    source_url: str | None
    current_version: str | None
    missing_instruments: list[str]
    protocols: list[str]

    @property
    def is_scored(self) -> bool:
        """Whether it has a content of its own to score, not only results from elsewhere."""
        return self.kind == "scored" and self.current_version is not None

    @property
    def accepts_submissions(self) -> bool:
        """Whether teams may submit to it: it is scored, and everything that scores it is installed here."""
        return self.is_scored and not self.missing_instruments

    @property
    def what_is_missing(self) -> str:
        """Which instruments are not installed, as the middle of a sentence; empty when all are."""
        if not self.missing_instruments:
            return ""
        names, verb = ", ".join(self.missing_instruments), "is" if len(self.missing_instruments) == 1 else "are"
        return f"{names} {verb} not installed"


@dataclass(frozen=True, kw_only=True)
class Subset:
    """A part of a benchmark; ``samples`` None where the source does not say."""

    benchmark_id: str
    id: str
    title: str
    samples: int | None


@dataclass(frozen=True, kw_only=True)
class Version:
    """One content of a benchmark: the sha256 that names it, the public manifest, where its parts lie."""

    benchmark_id: str
    version: str
    manifest: dict[str, Any]
    public_key: str
    hidden_key: str
    detector: str
    judge: str
