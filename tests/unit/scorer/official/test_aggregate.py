from __future__ import annotations

import math

import pytest

from scorer.official.aborts import OfficialAbortError
from scorer.official.aggregate import compute_metrics, gated

EL = {"s_0": {"ssim": 0.9, "lpips": 0.2}}


def one(*, ic=1.0, sa=0.5, ac=8):
    return gated("s_0", ic={"s_0": {"compliance": ic}}, sa={"s_0": {"edit_score": sa}}, el=EL, ac={"s_edit_0": ac})


def test_no_appearance_takes_everything_and_no_compliance_leaves_accuracy_d4_d19():
    assert (one(ac=0).ic, one(ac=0).sa, one(ac=0).el_lpips) == (0, 0, 0)
    assert (one(ic=0.0).ic, one(ic=0.0).sa, one(ic=0.0).ac) == (0, 0.5, 0)


def test_scores_are_not_checked_d19_and_a_hundredth_of_a_view_passes_d20():
    assert one(ac=11).ac == 110
    assert one(ic=0.01).el_lpips == 80


def test_a_compliance_that_is_no_number_reaches_the_mean():
    found = compute_metrics(ic={"s_0": {"compliance": math.nan}}, sa={"s_0": {"edit_score": math.nan}}, el=EL, ac={})
    assert math.isnan(found.ic)
    assert math.isnan(found.average)
    assert found.ac == 0


@pytest.mark.parametrize(("score", "official"), [("8", "TypeError"), ([8], "TypeError"), (10**400, "OverflowError")])
def test_scores_that_end_the_official_summary_abort(score, official):
    with pytest.raises(OfficialAbortError) as caught:
        one(ac=score)
    assert caught.value.official == official


def test_what_was_missing_is_noted():
    found = gated("s_0", ic={"s_0": {"compliance": 1.0}}, sa={"s_0": {"edit_score": 1.0}}, el={}, ac={})
    assert found.notes == ("no edit locality", "no judgement")
