"""The convolutional side branch: four scales of image detail beside the transformer (ViT-Adapter, Chen et al.,
2023)."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.layers import FrozenBatchNorm


class Prior(NamedTuple):
    """``c1``: (n, width, 56, 56), already resized from the 224-grid; ``c2``, ``c3``, ``c4``: (n, width, 112|56|28,
    same)."""

    c1: Tensor
    c2: Tensor
    c3: Tensor
    c4: Tensor


class SpatialPrior(nn.Module):
    """Padded SAM images (n, 3, 896, 896) -> :class:`Prior`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        a, width = config.stem_width, config.sam_width
        self.stem = nn.Sequential(
            *(*_step(3, a, stride=2), *_step(a, a), *_step(a, a)), nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        )
        self.conv2 = nn.Sequential(*_step(a, 2 * a, stride=2))
        self.conv3 = nn.Sequential(*_step(2 * a, 4 * a, stride=2))
        self.conv4 = nn.Sequential(*_step(4 * a, 4 * a, stride=2))
        self.fc1 = nn.Conv2d(a, width, 1)
        self.fc2 = nn.Conv2d(2 * a, width, 1)
        self.fc3 = nn.Conv2d(4 * a, width, 1)
        self.fc4 = nn.Conv2d(4 * a, width, 1)

    def forward(self, images: Tensor) -> Prior:
        """Four scales."""
        c1 = self.stem(images)
        c2 = self.conv2(c1)
        c3 = self.conv3(c2)
        return Prior(self.fc1(quarter(c1)), self.fc2(c2), self.fc3(c3), self.fc4(self.conv4(c3)))


def quarter(x: Tensor) -> Tensor:
    """Exactly what bilinear resizing to a quarter reads: the mean of pixels 4i + 1 and 4i + 2 along both sides.

    c1 is only ever used resized from 224 to 56, and fc1 is linear, so it is applied to 1/16 of the pixels.
    """
    return f.avg_pool2d(x[:, :, 1:, 1:], kernel_size=2, stride=4)


def quarter_after_up(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Transposed convolution 2x2, stride 2, of (n, c, 2m, 2m), resized to (m, m): exactly, at a quarter of the cost.

    ``weight``: (c, out, 2, 2), ``bias``: (out,) of the transposed one. Of its outputs only the pixels 4i + 1 (its
    second tap on input 2i) and 4i + 2 (its first on 2i + 1) are read: a convolution of stride 2 with the flipped
    kernel, in and out swapped, over 4.
    """
    return f.conv2d(x, weight.transpose(0, 1).flip(2, 3) / 4, bias, stride=2)


def _step(before: int, after: int, *, stride: int = 1) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
    return convolution, FrozenBatchNorm(after), nn.ReLU()


def levels_of(prior: Prior, level_embed: Tensor) -> Tensor:
    """c2, c3, c4 as one row of tokens (n, 112² + 56² + 28², width), each with its level's code added."""
    maps = (prior.c2, prior.c3, prior.c4)
    return torch.cat(
        [one.flatten(2).transpose(1, 2) + code for one, code in zip(maps, level_embed, strict=True)], dim=1
    )
