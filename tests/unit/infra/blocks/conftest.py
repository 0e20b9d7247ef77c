"""The planned benchmark of the shipped seed, drawn once."""

from __future__ import annotations

import pytest

from infra.blocks.plan import PlannedSample, plan_benchmark

SHIPPED_SEED = 7


@pytest.fixture(scope="session")
def plan() -> list[PlannedSample]:
    """All samples of the shipped benchmark."""
    return plan_benchmark(SHIPPED_SEED)
