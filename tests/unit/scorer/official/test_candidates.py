from __future__ import annotations

import numpy as np
import pytest

from scorer.official.candidates import choose, nearest, origin_index, relative_motion
from tests.unit.scorer.official.scenes import CUP, PLATE, moved, scaled, seen

ORIGIN = [seen(PLATE), seen(CUP)]
GOAL = moved(CUP, x=1.0)


def choice(*boxes, same_box=0.1):
    start = ORIGIN[1].rectangle
    result = [seen(box) for box in boxes]
    return choose(result, origin=ORIGIN, start=start, goal=GOAL, goal_rectangle=seen(GOAL).rectangle, same_box=same_box)


def test_every_detection_is_told_why_it_was_not_chosen():
    found = choice(PLATE, moved(CUP, x=0.1), moved(CUP, x=0.7), moved(CUP, x=0.9))
    assert found.index == 3
    assert [verdict.why for verdict in found.verdicts] == ["same_box", "same_box", "farther", "chosen"]
    assert [verdict.repeats for verdict in found.verdicts] == [0, 1, None, None]
    assert found.verdicts[3].distance == pytest.approx(0.1)
    assert found.verdicts[3].motion == pytest.approx(0.9, abs=0.01)


def test_a_box_with_an_old_rectangle_is_no_candidate_wherever_it_stands():
    twice_as_far = np.concatenate([CUP[:3] * 2, CUP[3:6] * 2, CUP[6:]])  # the same picture of a larger cup
    assert [verdict.why for verdict in choice(twice_as_far).verdicts] == ["same_rectangle"]


def test_a_rectangle_that_hardly_moved_is_no_candidate():
    found = choice(scaled(moved(CUP, x=0.15), 0.9), same_box=0.001)
    assert [verdict.why for verdict in found.verdicts] == ["little_motion"]
    assert found.verdicts[0].motion <= 0.2
    assert found.index is None


def test_the_first_of_two_equally_near_is_taken():
    assert nearest([1, 2], [seen(PLATE), seen(GOAL), seen(GOAL)], goal=GOAL) == 1
    assert nearest([], [], goal=GOAL) is None


def test_the_origin_box_is_the_first_that_agrees_in_all_seven_numbers():
    assert origin_index([seen(PLATE), seen(moved(CUP, x=0.3)), seen(CUP)], CUP) == 1
    wrapped = CUP + np.array([0, 0, 0, 0, 0, 0, 2 * np.pi])
    assert origin_index([seen(wrapped)], CUP) is None


def test_motion_is_relative_to_the_way_to_the_goal():
    assert relative_motion([5, 0, 5, 0], start=[0, 0, 0, 0], goal=[10, 0, 10, 0]) == pytest.approx(0.5, abs=1e-6)
    assert np.isnan(relative_motion([np.nan] * 4, start=[0, 0, 0, 0], goal=[10, 0, 10, 0]))
