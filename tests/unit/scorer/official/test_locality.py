from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from scorer import geometry
from scorer.official.imaging import UnmeasurableError
from scorer.official.locality import Boxes, excluded, for_lpips, kept_mask, mean_squared_error, passes_gate

BOX = [0.2, 0.3, 2.5, 0.4, 0.3, 0.5, 0.0]
LENS = [[700.0, 0, 448.0], [0, 700.0, 336.0], [0, 0, 1.0]]
TARGET = {"box": BOX, "rotation": np.eye(3), "intrinsics": LENS}
PROJECTION = geometry.projected_box(BOX, intrinsics=LENS)
AWAY = [2.0, 0.3, 2.5, 0.4, 0.3, 0.5, 0.0]
NOTHING = Boxes.of([], [])


def test_without_detections_nothing_is_excluded():
    assert excluded(NOTHING, NOTHING, **TARGET) == []


def test_the_first_origin_that_is_the_true_box_is_excluded():
    origin = Boxes.of([AWAY, BOX, BOX], [[0, 0, 1, 1], [2, 2, 3, 3], [4, 4, 5, 5]])
    assert [list(found) for found in excluded(origin, NOTHING, **TARGET)] == [[2, 2, 3, 3]]


def test_the_last_result_that_is_neither_the_box_nor_its_projection_is_excluded():
    result = Boxes.of(
        [AWAY, AWAY, BOX, AWAY], [[0, 0, 9, 9], [2, 2, 30, 30], [4, 4, 5, 5], PROJECTION + np.array([4.0, 4, 4, 4])]
    )
    assert [list(found) for found in excluded(NOTHING, result, **TARGET)] == [[2, 2, 30, 30]]


def test_corners_are_truncated_and_the_high_ones_lie_outside():
    kept = kept_mask([np.array([1.9, 2.9, 4.9, 4.1]), np.array([-3.0, 8.5, 2.2, 99.0])], height=10, width=8)
    expected = np.ones((10, 8), dtype=bool)
    expected[2:4, 1:4] = False
    expected[8:10, 0:2] = False
    assert (kept == expected).all()


def test_a_box_beyond_the_left_edge_excludes_as_an_index_of_python_does():
    kept = kept_mask([np.array([-20.0, 1.0, -2.5, 3.0])], height=5, width=8)
    assert not kept[1:3, :6].any()
    assert kept[1:3, 6:].all()
    assert kept[[0, 3, 4]].all()


def test_an_infinite_corner_is_clipped_and_one_that_is_no_number_is_the_edge():
    assert not kept_mask([np.array([-math.inf, -math.inf, math.inf, math.inf])], height=5, width=8).any()
    assert not kept_mask([np.full(4, math.nan)], height=5, width=8).any()


def test_a_rectangle_infinitely_far_away_is_unmeasurable():
    with pytest.raises(UnmeasurableError, match="infinitely far"):
        kept_mask([np.array([math.inf, 0.0, math.inf, 4.0])], height=5, width=8)


def test_each_image_of_a_batch_is_judged_dark_alone():
    images = torch.stack([torch.full((3, 2, 2), 1.0), torch.full((3, 2, 2), 255.0)])
    assert for_lpips(images)[:, 0, 0, 0].tolist() == [1.0, 1.0]
    assert images[1, 0, 0, 0] == 255


def test_the_error_is_a_mean_over_kept_pixels_and_channels():
    x, y = torch.zeros(3, 4, 4), torch.zeros(3, 4, 4)
    y[0, 0, 0], y[:, 1, 1] = 6.0, 100.0
    kept = torch.ones(4, 4, dtype=torch.bool)
    kept[1, 1] = False
    assert mean_squared_error(x, y, kept=kept) == pytest.approx(36 / 45)
    assert math.isnan(mean_squared_error(x, y, kept=torch.zeros(4, 4, dtype=torch.bool)))


@pytest.mark.parametrize(("ssim", "lpips", "real", "synthetic"), [
    (0.7, 0.2, True, True), (0.7, 0.4, True, False), (0.5, 0.2, True, False), (0.6, 0.3, False, False),
    (math.nan, 0.2, True, False), (math.nan, math.nan, False, False),
])  # fmt: skip
def test_real_images_need_one_of_two_and_synthetic_ones_both(ssim, lpips, real, synthetic):
    assert passes_gate(ssim=ssim, lpips=lpips, kind="real") is real
    assert passes_gate(ssim=ssim, lpips=lpips, kind="synthetic") is synthetic
