from __future__ import annotations

import numpy as np
import pytest

from infra.blocks.edits import Move, Remove, Rotate, Scale, Slip, View, names, step

from .making import CAMERA, block, scene

TWO = scene(block(-0.15), block(0.15, colour="blue"))


@pytest.mark.parametrize(
    ("direction", "moved"),
    [("left", (-0.1, 0.0)), ("right", (0.1, 0.0)), ("closer", (0.0, -0.1)), ("away", (0.0, 0.1))],
)
def test_a_step_goes_along_the_axes_of_the_camera(direction, moved):
    assert step(direction, 0.1) == pytest.approx(moved)


def test_a_move_carries_the_target_and_nothing_else():
    after = Move(0, 0.05, -0.02).apply(TWO)
    assert (after.blocks[0].x, after.blocks[0].z) == pytest.approx((-0.10, 0.83))
    assert after.blocks[1] == TWO.blocks[1]


def test_a_clockwise_turn_takes_the_front_from_the_camera_to_the_left_of_the_picture():
    facing = scene(block(yaw=0.0))
    after = Rotate(0, np.pi / 2).apply(facing)
    centre, turn = after.boxes()[0].bbox_3d[:3], after.boxes()[0].rotation_matrix
    front = CAMERA.project(centre + turn @ [0.0, 0.0, -0.1]) - CAMERA.project(centre)
    assert front[0] < -30
    assert after.blocks[0].x == facing.blocks[0].x


def test_a_scaled_block_stands_on_the_ground():
    after = Scale(0, 1.5).apply(TWO)
    assert after.blocks[0].size == pytest.approx((0.15, 0.105, 0.105))
    centre = CAMERA.to_level(after.boxes()[0].bbox_3d[:3])
    assert centre[1] + 0.105 / 2 == pytest.approx(CAMERA.height)


def test_a_removed_block_is_gone_and_the_others_stay():
    assert Remove(0).apply(TWO).blocks == TWO.blocks[1:]


def test_a_view_moves_the_camera_and_no_block():
    after = View(dx=0.1, pan=0.1).apply(TWO)
    assert after.blocks == TWO.blocks
    assert (after.pose.x, after.pose.z, after.pose.pan) == pytest.approx((0.1, 0.0, 0.1))


def test_a_slip_goes_too_far_and_aside():
    after = Move(0, 0.1, 0.0).apply(TWO, Slip(share=1.2, stray=0.1))
    assert (after.blocks[0].x, after.blocks[0].z) == pytest.approx((-0.03, 0.86))


def test_a_slip_of_a_scale_is_a_share_of_its_logarithm():
    after = Scale(0, 1.44).apply(TWO, Slip(share=0.5))
    assert after.blocks[0].size[0] == pytest.approx(0.12)


def test_a_removal_that_slips_far_leaves_everything():
    assert Remove(0).apply(TWO, Slip(share=0.0)) == TWO


@pytest.mark.parametrize("edit", [Move(0, 0.1, 0), Rotate(0, 1.0), Scale(0, 1.3), Remove(0)])
def test_an_edit_aimed_at_another_block_leaves_the_target(edit):
    after = edit.aimed_at(1).apply(TWO)
    assert after.blocks[0] == TWO.blocks[0]
    assert after != TWO


def test_a_view_aimed_at_a_block_moves_that_block_and_not_the_camera():
    after = View(pan=0.1).aimed_at(1).apply(TWO)
    assert after.pose == TWO.pose
    assert after.blocks[1].x - TWO.blocks[1].x == pytest.approx(np.sin(0.1))


def test_a_block_of_its_own_colour_needs_no_more_words():
    assert names(TWO.blocks, 0) == ["red block"]


def test_three_of_a_kind_are_told_apart_by_place():
    row = (block(-0.3, 0.7), block(0.0, 0.9), block(0.35, 1.1))
    assert [names(row, i) for i in range(3)] == [
        ["leftmost red block", "nearest red block"],
        ["middle red block"],
        ["rightmost red block", "farthest red block"],
    ]


def test_twins_too_near_each_other_in_every_direction_get_no_name():
    assert names((block(0.0, 0.85), block(0.02, 0.86)), 0) == []
