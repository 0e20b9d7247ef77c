"""``msssim-1``: how different two images look, pixel by pixel, without learned weights.

The structural dissimilarity 1 - SSIM at three scales. At scale s both images are averaged over blocks of s x s pixels
(a partial block at the right and lower border averages what it has), the SSIM map of each colour channel is taken with
a data range of 255, averaged over the channels and enlarged to full size (bilinear). The distance is the mean over the
scales, clipped to [0, 1]:

    D(p) = clip(mean over s in {1, 2, 4} of (1 - SSIM_s(p)), 0, 1)

A map, so that parts of an image can be masked. It is not LPIPS and its values must not be compared with LPIPS: it sees
structure, contrast and brightness, but has no learned idea of what people find similar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as f

from scorer.measures.ssim import WINDOW, ssim_map

NAME = "msssim-1"
SCALES = (1, 2, 4)
DATA_RANGE = 255.0
REACH = 18
"""No pixel farther than this (in x or y) from a difference has a distance: half a window at the coarsest scale plus
what enlarging spreads."""
SMALLEST_SIDE = SCALES[-1] * WINDOW


@dataclass(frozen=True)
class MsSsim:
    """``msssim-1`` as a perceptual distance (see :class:`scorer.measures.port.Perceptual`); it has no weights."""

    name: str = NAME
    sha256: None = None

    def features(self, images: torch.Tensor) -> list[torch.Tensor]:
        """The images themselves, (n, 3, height, width), float64 in 0..255. Raises ValueError for a side under 28."""
        if images.ndim != 4 or images.shape[1] != 3 or min(images.shape[2:]) < SMALLEST_SIDE:
            raise ValueError(
                f"images must be (n, 3, height, width), at least {SMALLEST_SIDE} pixels a side: {tuple(images.shape)}"
            )
        return [(images.double() + 1) * (DATA_RANGE / 2)]

    def mean_distance(
        self, one: Sequence[torch.Tensor], other: Sequence[torch.Tensor], *, kept: torch.Tensor
    ) -> torch.Tensor:
        """The mean (n,) of the distance map over the kept pixels, 0..1; 0 where none is kept."""
        found = distance_map(one[0], other[0])
        return (found * kept).sum(dim=(1, 2)) / kept.sum().clamp(min=1)


def distance_map(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """D of two batches (n, 3, height, width), 0..255: (n, height, width) in [0, 1]."""
    maps = [_similarity(x, y, scale=scale) for scale in SCALES]
    return torch.stack([1 - found for found in maps]).mean(dim=0).clamp(0, 1)


def _similarity(x: torch.Tensor, y: torch.Tensor, *, scale: int) -> torch.Tensor:
    """The SSIM map at one scale, averaged over the channels, at full size (n, height, width)."""
    height, width = x.shape[2:]
    if scale > 1:
        x, y = (f.avg_pool2d(image, scale, ceil_mode=True) for image in (x, y))
    similarity = ssim_map(x, y, data_range=DATA_RANGE).mean(dim=1, keepdim=True)
    if scale > 1:
        full = (similarity.shape[2] * scale, similarity.shape[3] * scale)
        similarity = f.interpolate(similarity, size=full, mode="bilinear", align_corners=False)
    return similarity[:, 0, :height, :width]
