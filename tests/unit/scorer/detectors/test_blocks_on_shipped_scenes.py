"""The detector on the rendered benchmark that ships with the repository: the bounds that docs/blocks.md states."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.blocks_detector import Tally, jpeg, measure, opened, views

DATA = Path(__file__).parents[4] / "infra" / "blocks" / "data"


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    return measure(views(opened(DATA / "blocks-public.zip"), opened(DATA / "blocks-hidden.zip")))


@pytest.mark.parametrize("subset", ["blocks-tabletop", "blocks-room"])
def test_every_object_is_found_and_none_is_invented(tallies, subset):
    tally = tallies[subset]
    assert tally.objects > 100
    assert tally.recall == 1
    assert tally.invented == 0, tally.notes


@pytest.mark.parametrize(
    ("subset", "median", "worst"), [("blocks-tabletop", 0.0025, 0.012), ("blocks-room", 0.012, 0.06)]
)
def test_centres_are_found_within_the_stated_bounds(tallies, subset, median, worst):
    errors = tallies[subset].centre
    assert np.median(errors) < median
    assert max(errors) < worst


@pytest.mark.parametrize("subset", ["blocks-tabletop", "blocks-room"])
def test_sizes_and_rotations_are_found_within_the_stated_bounds(tallies, subset):
    tally = tallies[subset]
    assert np.median(tally.size) < 0.02
    assert max(tally.size) < 0.12
    assert np.degrees(np.median(tally.rotation)) < 0.5
    assert np.degrees(max(tally.rotation)) < 5


def test_strong_compression_flips_no_front_and_loses_no_object():
    compressed = measure(
        views(opened(DATA / "blocks-public.zip"), opened(DATA / "blocks-hidden.zip")), degrade=jpeg(50)
    )
    for tally in compressed.values():
        assert tally.recall > 0.99
        assert tally.flips == 0, tally.notes
