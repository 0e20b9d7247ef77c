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

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
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

Image = npt.NDArray[np.uint8]
FloatMap = npt.NDArray[np.float64]


class Comparison(NamedTuple):
    """Two maps (height, width): the SSIM at full scale in [-1, 1] and the distance in [0, 1], means over channels."""

    similarity: FloatMap
    distance: FloatMap


def compare(a: Image, b: Image) -> Comparison:
    """Compare two RGB images (height, width, 3) uint8 of one size.

    Raises ValueError for arrays of other shapes or a side under 28 pixels.
    """
    if a.shape != b.shape or a.ndim != 3 or a.shape[2] != 3:
        raise ValueError(f"two RGB images of one size are needed: {a.shape}, {b.shape}")
    if min(a.shape[:2]) < SMALLEST_SIDE:
        raise ValueError(f"images must have at least {SMALLEST_SIDE} pixels a side: {a.shape[:2]}")
    x, y = _tensor(a), _tensor(b)
    maps = [_similarity(x, y, scale=scale) for scale in SCALES]
    distance = torch.stack([1 - found for found in maps]).mean(dim=0).clamp(0, 1)
    return Comparison(maps[0].numpy(), distance.numpy())


def _tensor(image: Image) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].to(torch.float64)


def _similarity(x: torch.Tensor, y: torch.Tensor, *, scale: int) -> torch.Tensor:
    """The SSIM map at one scale, averaged over the channels, at full size (height, width)."""
    height, width = x.shape[2:]
    if scale > 1:
        x, y = (f.avg_pool2d(image, scale, ceil_mode=True) for image in (x, y))
    similarity = ssim_map(x, y, data_range=DATA_RANGE).mean(dim=1, keepdim=True)
    if scale > 1:
        full = (similarity.shape[2] * scale, similarity.shape[3] * scale)
        similarity = f.interpolate(similarity, size=full, mode="bilinear", align_corners=False)
    return similarity[0, 0, :height, :width]
