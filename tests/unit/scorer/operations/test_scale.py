from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.operations import scale
from tests.unit.scorer.operations.scenes import Block, change_of, layouts

RED = Block("red block", 0.0, 0.9, 0.4, (0.06, 0.05, 0.1))
BLUE = Block("blue block", 0.3, 0.9, 0.4, (0.06, 0.05, 0.1))
factors = st.floats(1.05, 2.0).flatmap(lambda factor: st.sampled_from([factor, 1 / factor]))


def scaled(block: Block, factor: float, *, height: float | None = None) -> Block:
    w, h, length = block.size
    return replace(block, size=(w * factor, h * (factor if height is None else height), length * factor))


def judged(before, after, goal):
    return scale.measure(change_of(before, [block.seen for block in after], goal=goal.pose), goal=goal.pose)


@given(layouts(), factors)
def test_a_perfect_change_of_size_scores_everything_at_every_factor(blocks, factor):
    target, *rest = blocks
    goal = scaled(target, factor)
    found = judged(blocks, [*rest, goal], goal)
    assert found.done
    assert found.accuracy == pytest.approx(1, abs=1e-9)


@given(layouts(), factors)
def test_an_unchanged_image_scores_nothing(blocks, factor):
    found = judged(blocks, blocks, scaled(blocks[0], factor))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(layouts(), factors)
def test_the_inverse_factor_scores_nothing(blocks, factor):
    target, *rest = blocks
    found = judged(blocks, [scaled(target, 1 / factor), *rest], scaled(target, factor))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(factors)
def test_scaling_another_object_scores_nothing(factor):
    found = judged([RED, BLUE], [RED, scaled(BLUE, factor)], scaled(RED, factor))
    assert (found.done, found.accuracy) == (False, 0.0)


def test_an_object_that_vanished_scores_nothing():
    found = judged([RED, BLUE], [BLUE], scaled(RED, 1.5))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(factors, st.lists(st.floats(0, 1.2), min_size=2, max_size=6))
def test_accuracy_falls_with_the_error(factor, errors):
    goal = scaled(RED, factor)
    scores = [judged([RED], [scaled(RED, factor ** (1 - error))], goal).accuracy for error in sorted(errors)]
    assert all(b <= a + 1e-9 for a, b in pairwise(scores))


@pytest.mark.parametrize(("power", "accuracy"), [(1.0, 1.0), (0.75, 0.75), (0.51, 0.51), (1.5, 0.5), (1.9, 0.1)])
def test_accuracy_is_one_less_the_relative_error_of_the_logarithm(power, accuracy):
    found = judged([RED], [scaled(RED, 1.5**power)], scaled(RED, 1.5))
    assert found.done
    assert found.accuracy == pytest.approx(accuracy, abs=1e-9)


@pytest.mark.parametrize("power", [0.49, 0.0, -1.0, 2.01])
def test_too_little_or_too_much_is_not_done(power):
    assert not judged([RED], [scaled(RED, 1.5**power)], scaled(RED, 1.5)).done


def test_an_axis_that_was_forgotten_costs_accuracy():
    found = judged([RED], [scaled(RED, 1.5, height=1.0)], scaled(RED, 1.5))
    assert found.done
    assert found.accuracy == pytest.approx(1 - np.sqrt(1 / 3), abs=1e-9)
