from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.operations import rotate
from tests.unit.scorer.operations.scenes import Block, change_of, layouts

RED = Block("red block", 0.0, 0.9, 0.4, (0.06, 0.05, 0.1))
BLUE = Block("blue block", 0.3, 0.9, 0.4, (0.06, 0.05, 0.1))
angles = st.floats(5, 180).flatmap(lambda angle: st.sampled_from([angle, -angle]))


def turned(block: Block, degrees: float) -> Block:
    return replace(block, yaw=block.yaw + np.deg2rad(degrees))


def judged(before, after, goal):
    return rotate.measure(change_of(before, [block.seen for block in after], goal=goal.pose), goal=goal.pose)


@given(layouts(), angles)
def test_a_perfect_turn_scores_everything_at_every_angle(blocks, degrees):
    target, *rest = blocks
    goal = turned(target, degrees)
    found = judged(blocks, [*rest, goal], goal)
    assert found.done
    assert found.accuracy == pytest.approx(1, abs=1e-6)


@given(layouts(), angles)
def test_an_unchanged_image_scores_nothing(blocks, degrees):
    found = judged(blocks, blocks, turned(blocks[0], degrees))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(layouts(), st.floats(5, 140))
def test_the_opposite_sense_scores_nothing(blocks, degrees):
    target, *rest = blocks
    found = judged(blocks, [turned(target, -degrees), *rest], turned(target, degrees))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(angles)
def test_turning_another_object_scores_nothing(degrees):
    found = judged([RED, BLUE], [RED, turned(BLUE, degrees)], turned(RED, degrees))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(angles)
def test_an_object_that_vanished_scores_nothing(degrees):
    found = judged([RED, BLUE], [BLUE], turned(RED, degrees))
    assert (found.done, found.accuracy) == (False, 0.0)


def test_an_object_that_turned_but_went_away_is_not_done():
    goal = turned(RED, 60)
    found = judged([RED], [replace(goal, x=goal.x + 0.051)], goal)
    assert not found.done
    assert "stay" in found.reason
    assert judged([RED], [replace(goal, x=goal.x + 0.049)], goal).done


@given(st.floats(5, 180), st.lists(st.floats(0, 180), min_size=2, max_size=6))
def test_accuracy_falls_with_the_error(degrees, errors):
    goal = turned(RED, degrees)
    scores = [judged([RED], [turned(goal, -error)], goal).accuracy for error in sorted(errors)]
    assert all(b <= a + 1e-7 for a, b in pairwise(scores))


@pytest.mark.parametrize(("made", "accuracy"), [(45, 1.0), (36, 0.8), (54, 0.8), (23, 23 / 45), (67, 23 / 45)])
def test_accuracy_is_one_less_the_relative_error(made, accuracy):
    found = judged([RED], [turned(RED, made)], turned(RED, 45))
    assert found.done
    assert found.accuracy == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.parametrize("made", [22, 68, 0, -45, 180])
def test_half_the_angle_is_not_enough(made):
    assert not judged([RED], [turned(RED, made)], turned(RED, 45)).done
