"""docs/gate.md against the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scorer.bundle import KINDS, Kind, Limits
from scorer.gate.formats import MOST_SCANS
from scorer.gate.limits import MOST_PIXELS
from scorer.gate.paths import LONGEST_NAME

PAGE = (Path(__file__).parents[4] / "docs" / "gate.md").read_text(encoding="utf-8")
LIMITS = Limits()


def row(kind: Kind) -> str:
    """A kind of defect as the page has it: what is filled in for each case stands in ‹ ›."""
    effect = "refused" if kind.severity == "error" else "warning"
    return f"| `{kind.code}` | {effect} | {_cell(kind.message)} | {_cell(kind.remedy)} |"


def _cell(words: str) -> str:
    return re.sub(r"<([^>]+)>", r"`<\1>`", re.sub(r"\{(\w+)\}", r"‹\1›", words)).replace("|", r"\|")


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_the_page_tables_every_kind_of_defect_with_the_words_of_the_code(kind):
    assert row(kind) in PAGE.splitlines()


def test_the_page_tables_no_kind_that_the_code_does_not_have_and_keeps_their_order():
    assert re.findall(r"^\| `([a-z-]+)` \| (?:refused|warning) \|", PAGE, re.MULTILINE) == list(KINDS)


@pytest.mark.parametrize(
    "words",
    [
        f"{LIMITS.archive_bytes // 2**30} GiB per archive, {LIMITS.entries:,} entries, "
        f"{LIMITS.file_bytes // 2**20} MiB per file, {LIMITS.total_bytes // 2**30} GiB in all",
        f"larger than {LIMITS.ratio_floor // 2**20} MiB may not unpack to more than {LIMITS.ratio} times",
        f"{LIMITS.directory_bytes // 2**20} MiB of table of contents",
        f"names of {LONGEST_NAME} characters",
        f"{MOST_PIXELS:,} pixels",
        f"{MOST_SCANS} passes",
        f"the first {LIMITS.listed} of each kind",
    ],
)
def test_the_page_states_the_limits_that_the_code_uses(words):
    assert words in " ".join(PAGE.split())
