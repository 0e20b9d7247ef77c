from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.aggregate import aggregate, average, score_of
from scorer.contract import SampleReport

percents = st.floats(0, 100)


def sample(name="a", *, operation="move", difficulty="easy", status="scored", ic=0.0, sa=0.0, ac=0.0, el=0.0):
    return SampleReport(
        id=name,
        operation=operation,
        difficulty=difficulty,
        status=status,
        reason="",
        ic=ic,
        sa=sa,
        ac=ac,
        el=el,
        avg=average(ic=ic, sa=sa, ac=ac, el=el),
        explanation={},
    )


samples = st.lists(
    st.builds(
        sample,
        operation=st.sampled_from(["move", "rotate", "view"]),
        difficulty=st.sampled_from(["easy", "hard"]),
        status=st.sampled_from(["scored", "missing", "unreadable"]),
        ic=percents,
        sa=percents,
        ac=percents,
        el=percents,
    ),
    min_size=1,
    max_size=30,
)


def test_means_are_over_all_samples_the_missing_ones_count_zero():
    found = score_of([sample(ic=100, sa=50, ac=80, el=90), sample(status="missing"), sample(status="unreadable")])
    assert (found.n, found.missing) == (3, 2)
    assert (found.ic, found.sa) == pytest.approx((100 / 3, 50 / 3))
    assert found.avg == pytest.approx((100 + 50 + 80 + 90) / 12)


@given(samples)
def test_scores_are_finite_in_range_and_add_up(reports):
    found = aggregate(reports)
    assert found.overall.n == len(reports) == sum(score.n for score in found.operations.values())
    assert found.overall.n == sum(score.n for score in found.difficulties.values())
    assert found.overall.avg == pytest.approx(
        (found.overall.ic + found.overall.sa + found.overall.ac + found.overall.el) / 4, abs=1e-9
    )
    by_operation = sum(score.n * score.sa for score in found.operations.values()) / len(reports)
    assert by_operation == pytest.approx(found.overall.sa, abs=1e-9)


@given(samples, st.integers(0, 1000))
def test_the_order_of_samples_does_not_change_a_single_bit(reports, seed):
    shuffled = reports.copy()
    random.Random(seed).shuffle(shuffled)
    assert aggregate(shuffled) == aggregate(reports)


@given(st.integers(1, 1000))
def test_perfect_samples_stay_at_exactly_100(n):
    assert score_of([sample(ic=100, sa=100, ac=100, el=100)] * n).avg == 100.0


def test_only_what_occurs_is_reported():
    found = aggregate([sample(operation="view", difficulty="hard")])
    assert list(found.operations) == ["view"]
    assert list(found.difficulties) == ["hard"]


def test_no_samples_have_no_mean():
    with pytest.raises(ValueError, match="no samples"):
        score_of([])
