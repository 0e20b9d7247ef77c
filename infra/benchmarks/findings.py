"""What is wrong with the files of a benchmark, for the maintainer who adds it: all at once, never a hidden value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from scorer.contract import Severity


class Finding(NamedTuple):
    """One thing wrong: in which file, in which of its fields (empty: the file itself), what, and what to do."""

    severity: Severity
    file: str
    field: str
    wrong: str
    remedy: str


class RefusedError(Exception):
    """The benchmark cannot be added as it is; ``findings`` say why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(f"{sum(one.severity == 'error' for one in findings)} defects")
        self.findings = list(findings)


@dataclass
class Findings:
    """Collects what is found, in the order of finding."""

    all: list[Finding] = field(default_factory=list)

    def error(self, file: str, wrong: str, remedy: str, *, field: str = "") -> None:
        """Note something that keeps the benchmark from being added."""
        self.all.append(Finding("error", file, field, wrong, remedy))

    def warning(self, file: str, wrong: str, remedy: str, *, field: str = "") -> None:
        """Note something that the maintainer should know."""
        self.all.append(Finding("warning", file, field, wrong, remedy))

    @property
    def errors(self) -> int:
        """How many keep the benchmark from being added."""
        return sum(one.severity == "error" for one in self.all)

    def require_none(self) -> None:
        """Raises RefusedError when anything keeps the benchmark from being added."""
        if self.errors:
            raise RefusedError(self.all)
