import numpy as np
import pytest

from scorer.blocks.camera import Camera
from tests.unit.scorer.blocks.drawing import tabletop_camera


def test_a_positive_pitch_looks_down():
    camera = tabletop_camera()
    ahead_on_ground = camera.to_camera([0.0, camera.height, camera.height / np.tan(camera.pitch)])
    assert np.allclose(camera.project(ahead_on_ground), [256, 192])
    level_ahead = camera.project(camera.to_camera([0.0, 0.0, 1.0]))
    assert level_ahead[1] < 192


def test_level_and_camera_coordinates_undo_each_other():
    points = np.random.default_rng(1).normal(size=(5, 4, 3))
    camera = tabletop_camera()
    assert np.allclose(camera.to_level(camera.to_camera(points)), points)


def test_a_point_on_the_ground_is_found_again_from_its_pixel():
    camera = tabletop_camera()
    point = np.array([0.21, camera.height, 0.9])
    assert np.allclose(camera.on_plane(camera.project(camera.to_camera(point))), point)


def test_a_point_above_the_ground_is_found_again_on_its_plane():
    camera = tabletop_camera()
    point = np.array([-0.1, camera.height - 0.12, 0.8])
    assert np.allclose(camera.on_plane(camera.project(camera.to_camera(point)), above_ground=0.12), point)


def test_pixels_above_the_horizon_meet_no_ground():
    assert np.isnan(tabletop_camera().on_plane([[256.0, -400.0]])).all()


def test_points_behind_the_camera_have_no_pixel():
    assert np.isnan(tabletop_camera().project([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]])).all()


@pytest.mark.parametrize(
    ("intrinsics", "pitch", "height"),
    [
        ([[1, 0], [0, 1]], 0.1, 1.0),
        ([[500, 0, 256], [0, float("nan"), 192], [0, 0, 1]], 0.1, 1.0),
        ([[500, 0, 256], [0, 500, 192], [0, 0, 1]], float("inf"), 1.0),
        ([[500, 0, 256], [0, 500, 192], [0, 0, 1]], 0.1, 0.0),
        ([[-500, 0, 256], [0, 500, 192], [0, 0, 1]], 0.1, 1.0),
    ],
)
def test_a_camera_that_cannot_be_is_refused(intrinsics, pitch, height):
    with pytest.raises(ValueError, match=r"camera|focal"):
        Camera.of(intrinsics=intrinsics, pitch=pitch, height=height)


def test_the_intrinsics_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="read-only"):
        tabletop_camera().intrinsics[0, 0] = 1
