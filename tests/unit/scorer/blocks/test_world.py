import colorsys
import itertools

import numpy as np
import pytest

from scorer.blocks.world import (
    CLOCKWISE_YAW_SIGN,
    COLOURS,
    box_vertices,
    colour_of,
    marker_corners,
    standing_box,
    wrap_angle,
    yaw_matrix,
)
from tests.unit.scorer.blocks.drawing import tabletop_camera


def test_the_clockwise_sign_turns_forward_to_the_right_seen_from_above():
    forward = yaw_matrix(CLOCKWISE_YAW_SIGN * np.radians(90)) @ [0, 0, 1]
    assert np.allclose(forward, [1, 0, 0])


def test_a_clockwise_turn_on_the_ground_carries_the_nearest_corner_leftwards_in_the_image():
    camera = tabletop_camera()
    near_point = np.array([0.0, 0.0, -0.05])

    def pixel(yaw):
        return camera.project(camera.to_camera(yaw_matrix(yaw) @ near_point + [0, camera.height, 0.9]))

    assert pixel(CLOCKWISE_YAW_SIGN * 0.3)[0] < pixel(0.0)[0] - 1


def test_hues_of_the_colours_lie_well_apart():
    hues = [360 * colorsys.rgb_to_hsv(*(v / 255 for v in colour))[0] for colour in COLOURS.values()]
    gaps = [abs((a - b + 180) % 360 - 180) for a, b in itertools.combinations(hues, 2)]
    assert min(gaps) >= 24


def test_a_standing_box_touches_the_ground_with_four_corners():
    camera = tabletop_camera()
    box = standing_box(camera=camera, x=0.1, z=0.9, yaw=0.4, size=(0.1, 0.06, 0.08))
    heights = camera.to_level(box_vertices(box.bbox_3d, box.rotation_matrix))[:, 1]
    assert np.isclose(heights, camera.height).sum() == 4
    assert np.isclose(heights, camera.height - 0.06).sum() == 4


def test_the_marker_lies_on_the_top_near_the_front():
    corners = marker_corners((0.2, 0.1, 0.4))
    assert np.allclose(corners[:, 1], -0.05)
    assert np.allclose([corners[:, 2].min(), corners[:, 2].max()], [-0.168, -0.072])
    assert np.allclose([corners[:, 0].min(), corners[:, 0].max()], [-0.07, 0.07])


@pytest.mark.parametrize(("angle", "wrapped"), [(np.pi, np.pi), (-np.pi, np.pi), (7.0, 7 - 2 * np.pi), (0.0, 0.0)])
def test_angles_wrap_to_a_half_open_circle(angle, wrapped):
    assert wrap_angle(angle) == pytest.approx(wrapped)


@pytest.mark.parametrize(
    ("label", "colour"), [("red block", "red"), ("Teal crate", "teal"), ("block", None), ("", None), ("*", None)]
)
def test_a_label_names_its_colour(label, colour):
    assert colour_of(label) == colour
