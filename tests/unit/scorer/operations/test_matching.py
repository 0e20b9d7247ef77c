from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorer.operations import move
from scorer.operations.matching import assign, find_origins, is_called, match_edited
from tests.unit.scorer.operations.scenes import CAMERA, IMAGE_SIZE, Block, change_of, layouts, noisy

RED = Block("red block", 0.0, 0.9, 0.4, (0.06, 0.05, 0.1))
BLUE = Block("blue block", 0.3, 0.9, 0.4, (0.06, 0.05, 0.1))


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_an_assignment_is_one_to_one_and_no_other_is_cheaper(rows, columns, seed):
    cost = np.random.default_rng(seed).random((rows, columns))
    found = assign(cost)
    used = [column for column in found if column is not None]
    assert len(found) == rows
    assert len(set(used)) == len(used) == min(rows, columns)
    total = sum(cost[row, column] for row, column in enumerate(found) if column is not None)
    if rows <= columns:
        best = min(sum(cost[r, c] for r, c in enumerate(p)) for p in permutations(range(columns), rows))
    else:
        best = min(sum(cost[r, c] for c, r in enumerate(p)) for p in permutations(range(rows), columns))
    assert math.isclose(total, best, abs_tol=1e-12)


@given(layouts(), st.integers(0, 2**32 - 1), st.randoms())
def test_the_order_of_detections_never_matters(blocks, seed, random):
    rng = np.random.default_rng(seed)
    goal = replace(blocks[0], x=blocks[0].x + 0.1)
    after = [noisy(b.seen, rng, metres=0.05, degrees=20, size=0.1) for b in [goal, *blocks[1:], *blocks[:2]]]
    shuffled = after.copy()
    random.shuffle(shuffled)
    first, second = (
        move.measure(change_of(blocks, found, goal=goal.pose), goal=goal.pose) for found in (after, shuffled)
    )
    assert first == second


def test_a_target_that_changed_places_with_its_twin_is_followed_to_its_goal():
    twin = replace(RED, x=0.3)
    goal = replace(RED, x=0.15)
    change = change_of([RED, twin], [twin.seen, goal.seen], goal=goal.pose)
    assert change.result is not None
    assert change.result.bbox_3d[0] == pytest.approx(0.15)
    assert change.extras == []


def test_a_detection_that_contradicts_the_truth_is_replaced_by_the_truth():
    wrong = [
        replace(RED, yaw=RED.yaw + np.pi).seen,
        replace(RED, x=RED.x + 0.06).seen,
        replace(RED, size=(0.09, 0.05, 0.1)).seen,
    ]
    for seen in wrong:
        (origin,) = find_origins([RED.truth], [seen], intrinsics=CAMERA.intrinsics, image_size=IMAGE_SIZE)
        assert not origin.measured
        assert (origin.found.bbox_3d == RED.pose.box).all()


def test_a_faithful_detection_is_what_the_edit_is_measured_against():
    seen = noisy(RED.seen, np.random.default_rng(0), metres=0.005, degrees=2, size=0.03)
    (origin,) = find_origins([RED.truth], [seen], intrinsics=CAMERA.intrinsics, image_size=IMAGE_SIZE)
    assert origin.measured
    assert origin.found is seen


def test_the_box_of_an_unseen_object_is_its_projection_inside_the_image():
    aside = replace(RED, x=0.45)
    (origin,) = find_origins([aside.truth], [], intrinsics=CAMERA.intrinsics, image_size=IMAGE_SIZE)
    x1, y1, x2, y2 = origin.found.bbox_2d
    assert 0 <= x1 < x2 <= 512
    assert 0 <= y1 < y2 <= 384


def test_objects_are_only_matched_within_their_name():
    origins = find_origins(
        [RED.truth, BLUE.truth], [RED.seen, BLUE.seen], intrinsics=CAMERA.intrinsics, image_size=IMAGE_SIZE
    )
    stranger = replace(RED, label="green block").seen
    change = match_edited(origins, [BLUE.seen, stranger], target=0, goal=None)
    assert change.result is None
    assert change.after[1] is not None
    assert change.extras == [stranger]


@pytest.mark.parametrize(
    ("label", "yes"), [("red block", True), ("red", True), ("Red", True), ("re", False), ("blue", False)]
)
def test_a_detection_answers_to_the_label_or_to_a_word_of_it(label, yes):
    assert is_called(replace(RED, label=label).seen, "red block") is yes


@pytest.mark.parametrize("far", [0.2, 0.5, 2.0])
def test_a_twin_that_went_far_does_not_pass_for_the_target_beside_it(far):
    twin = replace(RED, x=RED.x + 0.15)
    origins = find_origins(
        [RED.truth, twin.truth], [RED.seen, twin.seen], intrinsics=CAMERA.intrinsics, image_size=IMAGE_SIZE
    )
    gone = replace(twin, x=twin.x + far).seen
    stayed = RED.seen
    change = match_edited(origins, [gone, stayed], target=0, goal=replace(RED, x=RED.x + far).pose)
    assert change.after[0] is stayed
    assert change.after[1] is gone


def test_what_contradicts_the_truth_but_stands_there_is_no_neighbour_and_what_stands_aside_is():
    turned = replace(RED, yaw=RED.yaw + np.pi).seen
    aside = replace(RED, x=RED.x + 0.2).seen
    found = [
        find_origins([RED.truth], [one], intrinsics=CAMERA.intrinsics, image_size=IMAGE_SIZE) for one in (turned, aside)
    ]
    assert [len(origins) for origins in found] == [1, 2]
    assert found[1][1].found is aside
