from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.benchmarks.editions import edition
from infra.benchmarks.findings import Finding, Findings, RefusedError
from infra.benchmarks.official import read_official
from infra.benchmarks.packing import Draft
from tests.unit.infra.benchmarks import making


@pytest.fixture
def fine(tmp_path: Path) -> Path:
    return making.fine(tmp_path / "official")


@pytest.fixture
def robothor(tmp_path: Path) -> Path:
    return making.robothor(tmp_path / "official")


PART = edition(id=None, title=None, partial=True)


def draft_of(folders: Mapping[str, Path]) -> tuple[Draft, list[Finding]]:
    """What a part of GSI-Bench is read as, and what was worth knowing."""
    found = Findings()
    return read_official(folders, PART, found=found), found.all


def refusal_of(folders: Mapping[str, Path], edition=PART) -> list[Finding]:
    """Why folders are refused."""
    with pytest.raises(RefusedError) as caught:
        read_official(folders, edition, found=Findings())
    return [one for one in caught.value.findings if one.severity == "error"]
