from __future__ import annotations

import pytest

from infra.benchmarks.editions import DATASETS, SUBSETS, edition
from infra.benchmarks.findings import Findings
from scorer.judges.language import VERSION as LANGUAGE_JUDGE
from scorer.measures.lpips import Lpips

WHOLE = {subset.id: subset.samples for subset in SUBSETS}


def plain(**options):
    return edition(**{"id": None, "title": None, "partial": False, **options})


def test_gsi_bench_has_1634_samples_from_four_data_sets():
    assert sum(WHOLE.values()) == 1634
    assert sorted(DATASETS) == ["bathroom", "fine", "mesatask", "robothor"]


def test_the_whole_is_registered_beside_the_published_board_and_scored_by_both_profiles():
    words = plain().words()
    assert (words["benchmark"], words["protocol"], words["beside"]) == (
        "gsi-bench-scored",
        "gsi-fair-1",
        ["gsi-official-1"],
    )


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("subset", WHOLE)
def test_one_sample_too_few_or_too_many_is_told(subset, change):
    found = Findings()
    plain().check_counts({**WHOLE, subset: WHOLE[subset] + change}, found)
    assert [one.severity for one in found.all] == ["error"]


def test_the_right_counts_are_right():
    found = Findings()
    plain().check_counts(WHOLE, found)
    assert found.all == []
    assert [one.title for one in plain().subsets(WHOLE)] == ["GSI-Real", "GSI-Syn-Tabletop", "GSI-Syn-Room"]


def test_the_whole_is_no_part():
    found = Findings()
    plain(partial=True).check_counts(WHOLE, found)
    assert found.errors == 1


@pytest.mark.parametrize(
    "options",
    [
        {"partial": True, "id": "gsi-bench-scored"},
        {"id": "GSI"},
        {"id": "a.b"},
        {"id": "a" * 62},
        {"title": "x" * 121},
        {"protocol": "gsi-official-1"},
        {"beside": ("gsi-fair-1",)},
        {"detector": "two words"},
        {"judge": ""},
    ],
)
def test_options_that_make_no_manifest_are_refused(options):
    with pytest.raises(ValueError):
        plain(**options)


def test_the_judge_and_the_distance_of_gsi_bench_are_those_that_the_scorer_knows():
    assert (plain().judge, plain().perceptual) == (LANGUAGE_JUDGE, Lpips.name)
