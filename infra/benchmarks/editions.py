"""What GSI-Bench consists of, and under which name and protocol a set of official folders is registered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infra.benchmarks.findings import Findings
from scorer.contract import Subset


@dataclass(frozen=True)
class OfficialSubset:
    """A subset of GSI-Bench: the data sets that it is made of, and how many samples it has as published."""

    id: str
    title: str
    kind: Literal["real", "synthetic"]
    datasets: tuple[str, ...]
    samples: int


SUBSETS = (
    OfficialSubset("gsi-real", "GSI-Real", "real", ("fine",), 441),
    OfficialSubset("gsi-syn-tabletop", "GSI-Syn-Tabletop", "synthetic", ("mesatask",), 600),
    OfficialSubset("gsi-syn-room", "GSI-Syn-Room", "synthetic", ("bathroom", "robothor"), 593),
)
"""As in the paper (arXiv 2604.20570); which data set belongs to which kind is docs/protocol.md's."""

DATASETS = tuple(name for subset in SUBSETS for name in subset.datasets)
WHOLE = "gsi-bench-scored"
PARTIAL = "gsi-bench-partial"
"""`gsi-bench` itself is the board of the published results, whose numbers were not made here."""

_TITLES = {True: "GSI-Bench, a part of it", False: "GSI-Bench, scored here"}
_DESCRIPTION = "GSI-Bench (CVPR 2026, arXiv 2604.20570), scored by this service from the edited images."
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,118}[A-Za-z0-9_-])?")
_LONGEST_TITLE = 120
_LICENSE = "As the publishers of GSI-Bench and of its source images state."


def subset_of(dataset: str) -> OfficialSubset:
    """The subset that a data set is part of. Raises KeyError for an unknown one."""
    return {name: subset for subset in SUBSETS for name in subset.datasets}[dataset]


@dataclass(frozen=True, kw_only=True)
class Edition:
    """How official folders are registered. ``partial``: without all samples, then under a name that says so."""

    id: str
    title: str
    partial: bool = False
    protocol: str = "gsi-fair-1"
    beside: tuple[str, ...] = ("gsi-official-1",)
    detector: str = "grounding-dino-detany3d"
    judge: str = "language-judge-1"
    perceptual: str = "lpips-alex-0.1"

    def words(self) -> dict[str, Any]:
        """The manifest's fields that say what it is and how it is scored."""
        return {
            "benchmark": self.id,
            "title": self.title,
            "description": _DESCRIPTION,
            "license": _LICENSE,
            "protocol": self.protocol,
            "beside": list(self.beside),
            "detector": self.detector,
            "judge": self.judge,
            "perceptual": self.perceptual,
        }

    def subsets(self, counts: Mapping[str, int]) -> list[Subset]:
        """The manifest's subsets, in the paper's order; one that is not whole says so in its title."""
        return [
            Subset(id=one.id, title=_title(one, counts[one.id]), samples=counts[one.id], kind=one.kind)
            for one in SUBSETS
            if counts.get(one.id)
        ]

    def check_counts(self, counts: Mapping[str, int], found: Findings) -> None:
        """What calls itself GSI-Bench has all of its samples, and no others; a part of it has not."""
        short = [one for one in SUBSETS if counts.get(one.id, 0) != one.samples]
        if self.partial and not short:
            found.error("all folders", "are the whole of GSI-Bench", "Leave out --partial.")
        for one in [] if self.partial else short:
            wrong = f"has {counts.get(one.id, 0)} samples; {one.title} has {one.samples}"
            remedy = f"Give all of it ({' and '.join(one.datasets)}), or add it as a part with --partial."
            found.error(one.title, wrong, remedy)


def edition(*, id: str | None, title: str | None, partial: bool, **options: Any) -> Edition:
    """An edition; what is not said is GSI-Bench's. Options that are None keep their defaults.

    Raises ValueError, in words for the maintainer, where a manifest could not be made of it.
    """
    said = {name: value for name, value in options.items() if value is not None}
    made = Edition(id=id or (PARTIAL if partial else WHOLE), title=title or _TITLES[partial], partial=partial, **said)
    if made.partial and made.id == WHOLE:
        raise ValueError(f"{WHOLE} is the id of the whole of GSI-Bench and of nothing else: name another with --id.")
    require_id(made.id)
    if not 0 < len(made.title) <= _LONGEST_TITLE:
        raise ValueError(f"A title has 1 to {_LONGEST_TITLE} characters.")
    profiles = [made.protocol, *made.beside]
    if len(set(profiles)) != len(profiles):
        raise ValueError(f"A profile is named twice: {', '.join(profiles)}.")
    for name in (*profiles, made.detector, made.judge, made.perceptual):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a profile or an instrument.")
    return made


def require_id(id: str) -> None:
    """Raises ValueError for an id that can stand in no address."""
    if not _ID.fullmatch(id):
        raise ValueError(f"{id!r} is no id: lower-case letters, digits and '-', a letter or digit first, 61 at most.")


def _title(subset: OfficialSubset, count: int) -> str:
    return subset.title if count == subset.samples else f"{subset.title}, {count} of {subset.samples}"
