from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from infra.blocks.scene import BORDER_PIXELS, Pose, apart, is_valid, projected_corners
from scorer.blocks.world import box_vertices

from .making import CAMERA, block, scene

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("shift", "distance"), [((3.0, 0.0), 2.0), ((0.0, -1.5), 0.5), ((4.0, 5.0), 5.0), ((1.5, 0.2), 0.5)]
)
def test_hulls_are_as_far_apart_as_their_nearest_points(shift, distance):
    assert apart(SQUARE, SQUARE + shift) == pytest.approx(distance, abs=1e-5)


def test_hulls_that_overlap_have_a_negative_distance():
    assert apart(SQUARE, SQUARE + np.array([0.75, 0.0])) == pytest.approx(-0.25, abs=1e-5)


def test_a_corner_is_as_far_from_an_edge_as_the_perpendicular():
    diamond = np.array([[2.0, 0.5], [3.0, 1.5], [4.0, 0.5], [3.0, -0.5]])
    assert apart(SQUARE, diamond) == pytest.approx(1.0, abs=1e-5)


def test_corners_in_the_image_are_those_of_the_box_in_the_truth():
    turned = scene(block(0.1, 0.8, yaw=1.1))
    box = turned.boxes()[0]
    expected = CAMERA.project(box_vertices(box.bbox_3d, box.rotation_matrix))
    assert projected_corners(CAMERA, turned.blocks[0]) == pytest.approx(expected)


def test_a_scene_with_blocks_well_apart_is_valid():
    assert is_valid(scene(block(-0.15), block(0.15)))


def test_blocks_that_overlap_on_the_ground_are_refused():
    assert not is_valid(scene(block(0.0), block(0.05)))


def test_blocks_of_which_one_hides_part_of_the_other_are_refused():
    near, far = block(0.0, 0.7), block(0.0, 0.83)
    assert apart(near.footprint(), far.footprint()) > 0.02
    assert not is_valid(scene(near, far))


def test_silhouettes_keep_six_pixels_between_them():
    left = block(-0.1, yaw=0.0)
    corners = projected_corners(CAMERA, left)

    def gap(x):
        return apart(corners, projected_corners(CAMERA, block(x, yaw=0.0)))

    places = np.linspace(0.0, 0.1, 200)
    assert min(gap(x) for x in places) < 6 < max(gap(x) for x in places)
    assert [is_valid(scene(left, block(x, yaw=0.0))) for x in places] == [gap(x) >= 6 for x in places]


def test_a_block_keeps_eight_pixels_from_the_border():
    places = np.linspace(0.2, 0.6, 200)
    edges = [projected_corners(CAMERA, block(x))[:, 0].max() for x in places]
    assert [is_valid(scene(block(x))) for x in places] == [edge <= 512 - BORDER_PIXELS for edge in edges]


def test_a_block_behind_the_camera_is_refused():
    assert not is_valid(scene(block(0.0, -0.8)))


def test_a_block_of_a_few_pixels_is_refused():
    assert not is_valid(scene(block(size=(0.02, 0.02, 0.025))))


def test_a_block_whose_top_is_not_seen_is_refused():
    assert not is_valid(scene(block(size=(0.1, 0.59, 0.07))))


def test_a_block_among_the_things_at_the_back_is_refused():
    far = block(0.0, 1.48, size=(0.12, 0.08, 0.1))
    assert is_valid(scene(replace(far, z=1.4)))
    assert not is_valid(scene(far))


def test_a_camera_that_turned_right_sees_everything_further_left_and_turned_back():
    pose = Pose(pan=float(np.radians(10)))
    seen = pose.sees(block(0.0, 1.0, yaw=0.5))
    assert (seen.x, seen.z) == pytest.approx((-np.sin(np.radians(10)), np.cos(np.radians(10))))
    assert seen.yaw == pytest.approx(0.5 - np.radians(10))


def test_a_camera_that_went_forward_sees_everything_nearer():
    seen = Pose(x=0.1, z=0.2).sees(block(0.3, 1.0))
    assert (seen.x, seen.z) == pytest.approx((0.2, 0.8))
