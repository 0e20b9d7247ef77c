from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.operations import view
from tests.unit.scorer.operations.scenes import Block, layouts


def seen_from(block: Block, *, step: float = 0.0, degrees: float = 0.0) -> Block:
    """The block in the frame of a camera that stepped to the right and turned to the right."""
    a = np.deg2rad(degrees)
    x = block.x - step
    return replace(
        block,
        x=x * np.cos(a) - block.z * np.sin(a),
        z=x * np.sin(a) + block.z * np.cos(a),
        yaw=block.yaw - a,
    )


def judged(before, goals, after):
    truth = [block.truth for block in goals]
    known = [block.truth for block in before]
    found = view.match(truth, [block.seen for block in after], before=known)
    return view.measure(found, before=known, goals=truth)


steps = st.floats(0.05, 0.6).flatmap(lambda step: st.sampled_from([step, -step]))
pans = st.floats(5, 30).flatmap(lambda angle: st.sampled_from([angle, -angle]))


@given(layouts(), steps, pans)
def test_a_perfect_change_of_view_scores_everything(blocks, step, degrees):
    goals = [seen_from(block, step=step, degrees=degrees) for block in blocks]
    found = judged(blocks, goals, goals[::-1])
    assert found.done
    assert found.accuracy == pytest.approx(1, abs=1e-9)


@given(layouts(largest=1), steps)
def test_an_unchanged_image_scores_nothing(blocks, step):
    found = judged(blocks, [seen_from(block, step=step) for block in blocks], blocks)
    assert (found.done, found.accuracy) == (False, 0.0)


@given(layouts(), steps, st.just(0.0) | pans)
def test_an_unchanged_image_scores_nothing_among_twins_either(blocks, step, degrees):
    found = judged(blocks, [seen_from(block, step=step, degrees=degrees) for block in blocks], blocks)
    assert (found.done, found.accuracy) == (False, 0.0)


@given(layouts(largest=1), steps, st.booleans())
def test_the_opposite_direction_scores_nothing(blocks, step, turn):
    way = {"degrees": 60 * step} if turn else {"step": step}
    back = {name: -value for name, value in way.items()}
    found = judged(blocks, [seen_from(b, **way) for b in blocks], [seen_from(b, **back) for b in blocks])
    assert (found.done, found.accuracy) == (False, 0.0)


@given(steps, st.lists(st.floats(0, 1.5), min_size=2, max_size=6))
def test_accuracy_falls_with_the_error(step, errors):
    block = Block("red block", 0.0, 0.9, 0.4, (0.06, 0.05, 0.1))
    goal = seen_from(block, step=step)
    scores = [judged([block], [goal], [seen_from(block, step=step * (1 - e))]).accuracy for e in sorted(errors)]
    assert all(b <= a + 1e-9 for a, b in pairwise(scores))


def test_lost_and_added_objects_count_as_not_moved_at_all():
    blocks = [Block("red block", 0.2 * i, 0.9, 0.4, (0.06, 0.05, 0.1)) for i in range(4)]
    goals = [seen_from(block, step=0.1) for block in blocks]
    stranger = Block("blue block", -0.5, 1.2, 0.0, (0.06, 0.05, 0.1))
    assert judged(blocks, goals, goals[:3]).accuracy == pytest.approx(0.75)
    assert judged(blocks, goals, [*goals, stranger]).accuracy == pytest.approx(0.8)


def test_noise_hides_no_change_of_view_that_is_four_times_as_large():
    rng = np.random.default_rng(7)
    trials = 600
    for count in (1, 2, 4):
        done = 0
        for _ in range(trials):
            names = ["red block", "blue block", "green block", "red ball"][:count]
            row = [Block(name, 0.5 * i - 0.7, 1.2, 0.4, (0.2, 0.2, 0.2)) for i, name in enumerate(names)]
            goals = [seen_from(block, step=0.08) for block in row]
            seen = [replace(goal, x=goal.x + rng.normal(0, 0.02), z=goal.z + rng.normal(0, 0.02)) for goal in goals]
            done += judged(row, goals, seen).done
        assert done / trials > 0.95 + 1.645 * np.sqrt(0.95 * 0.05 / trials), count


def test_a_camera_that_moved_twice_as_far_as_asked_scores_nothing():
    blocks = [Block("red block", 0.2 * i, 0.9, 0.4, (0.06, 0.05, 0.1)) for i in range(3)]
    asked, made = ([seen_from(block, step=step) for block in blocks] for step in (0.1, 0.21))
    assert not judged(blocks, asked, made).done


def test_an_empty_image_scores_nothing():
    block = Block("red block", 0.0, 0.9, 0.4, (0.06, 0.05, 0.1))
    found = judged([block], [seen_from(block, step=0.1)], [])
    assert (found.done, found.accuracy) == (False, 0.0)


@pytest.mark.parametrize("noise", [0.0, 0.002])
def test_an_unchanged_row_of_equal_objects_scores_nothing_though_it_nearly_fits_the_new_view(noise):
    rng = np.random.default_rng(0)
    row = [Block("red block", 0.15 * i, 0.9, 0.4, (0.06, 0.05, 0.1)) for i in range(6)]
    goals = [seen_from(block, step=0.15) for block in row]
    seen = [replace(block, x=block.x + rng.normal(0, noise)) for block in row]
    assert not judged(row, goals, seen).done
    assert judged(row, goals, seen).accuracy < 0.2
    assert judged(row, goals, goals).accuracy == pytest.approx(1)
