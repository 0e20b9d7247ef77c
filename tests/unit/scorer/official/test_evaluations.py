"""The official rules at work, with the defects that docs/protocol.md numbers: they are part of the numbers."""

from __future__ import annotations

import pytest

from scorer.official.aborts import OfficialAbortError
from scorer.official.move import evaluate_move
from scorer.official.remove import evaluate_remove
from scorer.official.rotate import evaluate_rotate
from scorer.official.scale import evaluate_scale
from scorer.official.truth import Detection
from tests.unit.scorer.official.scenes import CUP, PLATE, moved, scaled, seen, truth, turned

ORIGIN = [seen(PLATE), seen(CUP)]


def move(*boxes, gate=True, **fields):
    return evaluate_move(truth(**fields), origin=ORIGIN, result=[seen(box) for box in boxes], gate=gate)


def test_a_perfect_move_is_nearly_one():
    outcome = move(PLATE, moved(CUP, x=1.0))
    assert outcome.ic == 1
    assert outcome.sa == pytest.approx(1, abs=1e-6)
    assert (outcome.origin, outcome.choice.index) == (1, 1)
    assert outcome.quantities["s1"] == pytest.approx(1)


def test_a_perfect_move_of_thirty_centimetres_counts_as_none_d1():
    outcome = move(PLATE, moved(CUP, x=0.3), new_bbox_3d=moved(CUP, x=0.3).tolist())
    assert outcome.ic == 0
    assert 0 < outcome.sa < 1e-50


def test_the_opposite_direction_keeps_seven_tenths_d3():
    outcome = move(PLATE, moved(CUP, x=-1.0))
    assert (outcome.ic, outcome.sa) == (1, pytest.approx(0.7, abs=1e-6))


def test_another_number_of_detections_halves_a_move_d7():
    assert move(moved(CUP, x=1.0)).sa == pytest.approx(0.5, abs=1e-6)


def test_evaluations_end_early_in_the_official_order():
    assert move(gate=False).stopped == "gate"
    assert move().stopped == "no_result_detections"
    assert evaluate_move(truth(), origin=[seen(PLATE)], result=ORIGIN, gate=True).stopped == "no_origin_box"
    assert move(gate=False, original_bbox_3d=None).ic == 0  # the field is not reached


def rotate(degrees, *, asked=40.0, shift=0.0):
    goal = truth(new_rotation_matrix=turned(asked).tolist())
    result = [seen(PLATE), seen(moved(CUP, x=shift) + 0.02, degrees=degrees)]
    return evaluate_rotate(goal, origin=ORIGIN, result=result, gate=True)


def test_a_rotation_is_measured_by_its_angle_and_mirrored_ones_keep_half_d6():
    assert rotate(40.0).sa == pytest.approx(1, abs=1e-3)
    assert rotate(40.0).quantities["t_p"] == pytest.approx(rotate(40.0).quantities["t_g"])
    assert rotate(-40.0).ic == 1
    assert rotate(-40.0).sa >= 0.5


def test_a_turned_object_half_a_metre_away_complies_without_accuracy_d6():
    assert (rotate(40.0, shift=0.6).ic, rotate(40.0, shift=0.6).sa) == (1, 0)


def test_a_record_without_rotation_aborts_rotations_only():
    bare = [Detection(found.box, found.rectangle, None) for found in (seen(moved(CUP, x=0.2)),)]
    goal = truth(new_rotation_matrix=turned(40).tolist())
    with pytest.raises(OfficialAbortError, match="rotation_matrix"):
        evaluate_rotate(goal, origin=ORIGIN, result=bare, gate=True)
    assert evaluate_move(truth(), origin=ORIGIN, result=bare, gate=True).stopped is None


@pytest.mark.parametrize(
    ("left", "ic", "sa"), [((PLATE,), 1, 1.0), ((), 1, 0.7), ((PLATE, CUP), 0, 0.0), ((PLATE, PLATE, PLATE), 1, 1.0)]
)
def test_removals_tolerate_one_further_loss_and_any_addition_d7(left, ic, sa):
    outcome = evaluate_remove(truth(), origin=ORIGIN, result=[seen(box) for box in left], gate=True)
    assert (outcome.ic, outcome.sa) == (ic, pytest.approx(sa))


def scale(factor, *, asked=2.0):
    result = [seen(PLATE), seen(scaled(CUP, factor))]
    return evaluate_scale(truth(new_bbox_3d=scaled(CUP, asked).tolist()), origin=ORIGIN, result=result, gate=True)


def test_a_perfect_scaling_is_nearly_one_and_its_factors_are_told():
    outcome = scale(2.0)
    assert (outcome.ic, outcome.sa) == (1, pytest.approx(1, abs=1e-3))
    assert outcome.quantities["e_p_w"] == pytest.approx(2, abs=1e-3)


def test_an_unchanged_object_keeps_accuracy_and_the_opposite_factor_complies_d4_d5():
    assert (scale(1.0, asked=1.5).ic, scale(1.0, asked=1.5).sa) == (0, pytest.approx(0.85, abs=0.01))
    assert scale(0.5).ic == 1


@pytest.mark.parametrize("evaluate", [evaluate_move, evaluate_scale])
def test_a_missing_goal_aborts_where_it_is_needed(evaluate):
    fields = {key: value for key, value in truth().fields.items() if key != "new_bbox_3d"}
    with pytest.raises(OfficialAbortError, match="new_bbox_3d") as caught:
        evaluate(type(truth())(fields), origin=ORIGIN, result=ORIGIN, gate=True)
    assert caught.value.official == "KeyError"
