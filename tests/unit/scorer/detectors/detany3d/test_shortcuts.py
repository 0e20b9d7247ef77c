"""The exact shortcuts against what they stand for."""

from __future__ import annotations

import torch
import torch.nn.functional as f
from torch import nn

from scorer.detectors.detany3d.layers import resized
from scorer.detectors.detany3d.spatial_prior import quarter, quarter_after_up


def normal(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_quartering_is_bilinear_resizing_to_a_quarter():
    x = normal(2, 3, 32, 32)
    torch.testing.assert_close(quarter(x), resized(x, (8, 8)))


def test_quartering_after_up_is_enlarging_then_resizing_to_a_quarter():
    up = nn.ConvTranspose2d(5, 7, 2, stride=2)
    x = normal(2, 5, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(quarter_after_up(x, up.weight, up.bias), resized(up(x), (8, 8)))


def test_a_one_by_one_convolution_may_follow_the_quartering():
    convolution, x = nn.Conv2d(3, 6, 1), normal(1, 3, 32, 32)
    with torch.no_grad():
        wanted = f.interpolate(convolution(x), size=(8, 8), mode="bilinear", align_corners=False)
        torch.testing.assert_close(convolution(quarter(x)), wanted)
