from __future__ import annotations

import pytest
import torch

from scorer.detectors.detany3d.config import full
from scorer.detectors.detany3d.preprocess import Frame, box_prompts, frame_of, inputs_of


@pytest.mark.parametrize(
    ("size", "frame"),
    [
        ((960, 1280), Frame((960, 1280), (672, 896), (672, 896), (42, 56), (48, 64))),
        ((853, 1280), Frame((853, 1280), (597, 896), (588, 896), (36, 56), (42, 64))),
        ((1280, 720), Frame((1280, 720), (896, 504), (896, 504), (56, 31), (64, 36))),
        ((100, 100), Frame((100, 100), (896, 896), (896, 896), (56, 56), (64, 64))),
    ],
)
def test_frames_are_those_of_the_specification(size, frame):
    assert frame_of(*size, full()) == frame


def test_the_crop_is_from_the_centre_and_the_padding_at_the_bottom_and_right():
    image = torch.zeros(1, 597, 896, 3, dtype=torch.uint8)
    image[:, 4] = 255  # 597 // 2 - 588 // 2 = 4: the first row that is kept
    inputs = inputs_of(image, full())
    assert inputs.sam.shape == (1, 3, 896, 896)
    assert inputs.dino.shape == (1, 3, 588, 896)
    assert inputs.dino[0, 0, 0, 0] > 2 > -2 > inputs.dino[0, 0, 1, 0]
    assert inputs.sam[0, :, 588:].abs().max() == 0
    assert inputs.sam[0, 0, 0, 0] == pytest.approx((255 - 123.675) / 58.395)


def test_boxes_are_truncated_toward_zero_twice_and_not_clipped():
    frame = frame_of(853, 1280, full())
    corners = torch.tensor([[-0.7, -1.2, 1279.9, 900.0], [100.9, 200.9, 300.9, 400.9]])
    centres, sizes = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
    boxes = torch.cat([centres, sizes], dim=1) / torch.tensor([1280, 853, 1280, 853])
    # -0.7 -> 0; -1.2 -> -1 -> -0.69 -> 0; 1279 -> 895.3 -> 895; 900 -> 629.9 -> 629; 100 -> 70; 200 -> 139.97 -> 139
    wanted = [[0, 0, 895, 629], [70, 139, 210, 279]]
    assert box_prompts(boxes, frame).tolist() == wanted
