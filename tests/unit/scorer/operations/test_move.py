from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.operations import move
from tests.unit.scorer.operations.scenes import Block, change_of, layouts, noisy

RED = Block("red block", 0.0, 0.9, 0.4, (0.06, 0.05, 0.1))
BLUE = Block("blue block", 0.3, 0.9, 0.4, (0.06, 0.05, 0.1))
distances = st.floats(0.05, 2.0)
headings = st.floats(0, 2 * np.pi)


def moved(block: Block, length: float, heading: float) -> Block:
    return replace(block, x=block.x + length * np.cos(heading), z=block.z + length * np.sin(heading))


def judged(before, after, goal):
    return move.measure(change_of(before, [block.seen for block in after], goal=goal.pose), goal=goal.pose)


@given(layouts(), distances, headings)
def test_a_perfect_move_scores_everything_at_every_distance(blocks, length, heading):
    target, *rest = blocks
    goal = moved(target, length, heading)
    found = judged(blocks, [goal, *rest], goal)
    assert found.done
    assert found.accuracy == pytest.approx(1, abs=1e-9)


@given(layouts(), distances, headings)
def test_an_unchanged_image_scores_nothing(blocks, length, heading):
    found = judged(blocks, blocks, moved(blocks[0], length, heading))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(layouts(largest=1), distances, headings)
def test_the_opposite_direction_scores_nothing(blocks, length, heading):
    target = blocks[0]
    found = judged(blocks, [moved(target, -length, heading)], moved(target, length, heading))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(distances, headings)
def test_moving_another_object_scores_nothing(length, heading):
    found = judged([RED, BLUE], [RED, moved(BLUE, length, heading)], moved(RED, length, heading))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(st.floats(0.05, 0.2), headings)
def test_moving_a_twin_scores_nothing(length, heading):
    twin = replace(BLUE, label=RED.label, x=0.6)
    found = judged([RED, twin], [RED, moved(twin, length, heading)], moved(RED, length, heading))
    assert (found.done, found.accuracy) == (False, 0.0)


def test_an_object_that_vanished_scores_nothing():
    found = judged([RED, BLUE], [BLUE], moved(RED, 0.1, 0))
    assert (found.done, found.accuracy) == (False, 0.0)
    assert "not found" in found.reason


@given(distances, headings)
def test_a_copy_scores_nothing(length, heading):
    goal = moved(RED, length, heading)
    found = judged([RED], [RED, goal], goal)
    assert (found.done, found.accuracy) == (False, 0.0)
    assert "twice" in found.reason or "far enough" in found.reason


@given(distances, headings, st.lists(st.floats(0, 1.5), min_size=2, max_size=6))
def test_accuracy_falls_with_the_error(length, heading, errors):
    goal = moved(RED, length, heading)
    side = heading + np.pi / 2
    scores = [judged([RED], [moved(goal, error * length, side)], goal).accuracy for error in sorted(errors)]
    assert all(b <= a + 1e-12 for a, b in pairwise(scores))


@pytest.mark.parametrize(("part", "accuracy"), [(0.51, 0.51), (0.75, 0.75), (1.0, 1.0), (1.5, 0.5), (1.99, 0.01)])
def test_accuracy_is_one_less_the_relative_error(part, accuracy):
    goal = moved(RED, 0.2, 0.3)
    found = judged([RED], [moved(RED, 0.2 * part, 0.3)], goal)
    assert found.done
    assert found.accuracy == pytest.approx(accuracy, abs=1e-9)


@pytest.mark.parametrize("part", [0.49, 2.01, 0.0, -1.0])
def test_too_little_or_too_much_is_not_done(part):
    found = judged([RED], [moved(RED, 0.2 * part, 0.3)], moved(RED, 0.2, 0.3))
    assert (found.done, found.accuracy) == (False, 0.0)


@given(st.floats(0.08, 2.0), headings, st.integers(0, 2**32 - 1))
def test_a_perfect_move_of_many_times_the_detectors_noise_is_done(length, heading, seed):
    rng = np.random.default_rng(seed)
    goal = moved(RED, length, heading)
    after = noisy(goal.seen, rng, metres=length / 20, degrees=3, size=0.05)
    change = change_of([RED], [after], goal=goal.pose, seen=[noisy(RED.seen, rng, metres=0.005, degrees=3, size=0.05)])
    assert move.measure(change, goal=goal.pose).done
