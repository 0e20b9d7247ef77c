"""All cases."""

from __future__ import annotations

from tests.gate_corpus.base import make_base
from tests.gate_corpus.benchmark import Case
from tests.gate_corpus.hostile_archives import hostile_archives
from tests.gate_corpus.hostile_entries import hostile_entries
from tests.gate_corpus.hostile_images import hostile_images
from tests.gate_corpus.valid import valid


def hostile_cases(seed: int = 0) -> list[Case]:
    """What must be refused."""
    base = make_base(seed)
    return [*hostile_archives(base), *hostile_entries(base), *hostile_images(base)]


def valid_cases(seed: int = 0) -> list[Case]:
    """What must be accepted."""
    return list(valid(make_base(seed)))
