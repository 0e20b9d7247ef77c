from __future__ import annotations

import math

import pytest
import torch

from scorer.detectors.detany3d.decode import rotation_of, solid_of, yaw_of
from scorer.detectors.detany3d.decoder import Raw

PREDICTED = torch.tensor([[400.0, 0, 448], [0, 300, 300], [0, 0, 1]])


def raw(*, depth=0.0, angle=0, residual=0.0, centre=(0.5, 0.5), box=(0.5, 0.5, 0.1, 0.2)):
    angles = torch.zeros(1, 24)
    angles[0, angle] = 1
    angles[0, 12 + angle] = residual
    pose = torch.tensor([[2.0, 0, 0, 1, 3, 0]])
    numbers = (torch.tensor([one]) for one in (centre, box, (depth,), (0.0, 0.0, 0.0)))
    return Raw(*numbers, angles, pose, torch.tensor([[0.2, 0.9, 0.4]]))


def test_a_point_is_seen_again_where_the_network_saw_it():
    given = torch.tensor([[1000.0, 0, 640], [0, 900, 480], [0, 0, 1]], dtype=torch.float64)
    for intrinsics in (None, given):
        solid = solid_of(raw(depth=1.5, centre=(0.3, 0.6)), predicted=PREDICTED, given=intrinsics, frame=896)
        seen = (PREDICTED if intrinsics is None else given.float()) @ solid.bbox_3d[0, :3]
        assert (seen[:2] / seen[2]).tolist() == pytest.approx([0.3 * 896, 0.6 * 896], rel=1e-5)


def test_depth_is_carried_to_the_given_camera_by_both_its_focal_lengths_over_the_predicted_fx():
    given = torch.tensor([[1000.0, 0, 640], [0, 900, 480], [0, 0, 1]])
    solid = solid_of(raw(depth=1.5), predicted=PREDICTED, given=given, frame=896)
    assert solid.bbox_3d[0, 2].item() == pytest.approx(math.exp(1.5) * math.sqrt(900_000) / 400, rel=1e-6)


@pytest.mark.parametrize(
    ("angle", "residual", "yaw"),
    [(0, 0.1, 0.1), (3, 0.0, math.pi / 2), (7, 0.0, 7 * math.pi / 6 - 2 * math.pi), (6, 0.1, 0.1 - math.pi)],
)
def test_an_angle_is_its_class_and_the_residual_of_that_class(angle, residual, yaw):
    found = yaw_of(raw(angle=angle, residual=residual).angle, torch.tensor([448.0]), PREDICTED)
    assert found.item() == pytest.approx(yaw, abs=1e-5)


def test_the_viewing_direction_of_the_2d_boxs_centre_is_added_to_the_angle():
    found = yaw_of(raw().angle, torch.tensor([848.0]), PREDICTED)
    assert found.item() == pytest.approx(math.pi / 4, abs=1e-6)


def test_six_numbers_become_a_rotation_by_rows():
    found = rotation_of(torch.tensor([[2.0, 0, 0, 1, 3, 0], [0, 1, 0, 0, 5, 2]]))
    assert found.tolist() == [[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]]]


def test_the_2d_box_comes_as_corners_and_the_overlap_is_the_best_candidates():
    solid = solid_of(raw(), predicted=PREDICTED, given=None, frame=1000)
    assert solid.bbox_2d[0].tolist() == pytest.approx([450, 400, 550, 600], rel=1e-5)
    assert solid.iou.tolist() == pytest.approx([0.9])
