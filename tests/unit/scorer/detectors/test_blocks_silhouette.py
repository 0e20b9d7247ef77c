import numpy as np
import pytest

from scorer.blocks.world import box_vertices
from scorer.detectors.blocks.pose import SOLID_SIGNS, project_points
from scorer.detectors.blocks.silhouette import NORMALS, PIXEL_REACH, fit_silhouettes, support
from tests.unit.scorer.blocks.drawing import Cuboid, room_camera, tabletop_camera

POSES = np.array(
    [[0.1, 0.9, 0.4, np.log(0.1), np.log(0.05), np.log(0.08)], [-0.8, 3.0, -2.0, np.log(0.5), np.log(1.0), np.log(0.7)]]
)


def test_a_pose_projects_to_the_corners_of_its_box():
    camera = tabletop_camera()
    box = Cuboid("red", 0.1, 0.9, 0.4, (0.1, 0.05, 0.08)).box(camera)
    expected = camera.project(box_vertices(box.bbox_3d, box.rotation_matrix))
    assert np.allclose(project_points(POSES, camera).pixels[0], expected)


@pytest.mark.parametrize("number", range(6))
def test_the_derivatives_of_projected_points_agree_with_differences(number):
    camera = room_camera()
    step = np.eye(6)[number] * 1e-6
    ahead, behind = (project_points(POSES + sign * step, camera, SOLID_SIGNS).pixels for sign in (1, -1))
    slopes = project_points(POSES, camera, SOLID_SIGNS).slopes[..., number]
    assert np.allclose((ahead - behind) / 2e-6, slopes, rtol=1e-4, atol=1e-3)


def test_the_support_of_a_square_is_its_reach():
    square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    right = int(np.argmax(NORMALS[:, 0]))
    assert support(square)[right] == pytest.approx(4 + PIXEL_REACH)


@pytest.mark.parametrize("yaw", np.radians([0, 20, 45, 70, 110, -30]))
def test_an_exact_silhouette_gives_back_its_solid(yaw):
    camera = tabletop_camera()
    cuboid = Cuboid("red", -0.12, 0.95, float(yaw), (0.11, 0.07, 0.06))
    box = cuboid.box(camera)
    hull = camera.project(box_vertices(box.bbox_3d, box.rotation_matrix))
    (fits,) = fit_silhouettes([hull], camera)
    pose = fits[0].pose
    assert pose[:2] == pytest.approx([-0.12, 0.95], abs=0.004)
    assert np.exp(pose[4]) == pytest.approx(0.07, abs=0.004)
    assert sorted(np.exp(pose[[3, 5]])) == pytest.approx([0.06, 0.11], abs=0.006)


def test_a_region_above_the_horizon_has_no_pose():
    sky = np.array([[200.0, -900.0], [240.0, -900.0], [220.0, -860.0]])
    assert fit_silhouettes([sky], tabletop_camera()) == [[]]


def test_no_regions_have_no_poses():
    assert fit_silhouettes([], tabletop_camera()) == []
