"""One stage's meeting of the two backbones and the side branch, and the feature map that comes of it."""

from __future__ import annotations

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.extractor import Extractor, sides_of
from scorer.detectors.detany3d.layers import FrozenBatchNorm, as_map, resized
from scorer.detectors.detany3d.spatial_prior import Prior, quarter_after_up


class Interaction(nn.Module):
    """Fuses DINOv2 features into the SAM grid and lets the side branch read the result.

    There is no injector: the side branch never flows back into the grid.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.grid = config.grid
        self.alpha = nn.Parameter(torch.ones(1, 1))
        self.dino_conv = nn.Conv2d(config.dino_width, config.sam_width, 1)
        self.extractor = Extractor(config)
        self.extra_extractors = nn.ModuleList(Extractor(config) for _ in range(2))

    def forward(self, x: Tensor, c: Tensor, dino: Tensor, around: Tensor) -> tuple[Tensor, Tensor]:
        """The fused grid, which goes into the next stage, and the side branch that has read it."""
        x = self.fused(x, dino)
        return x, self.extracted(c, x, around)

    def fused(self, x: Tensor, dino: Tensor) -> Tensor:
        """x (n, grid, grid, width) with DINOv2's map (n, rows, columns, width of DINOv2) -> x."""
        y = centred(dino.permute(0, 3, 1, 2), self.grid)
        # The convolution comes AFTER the padding, so its bias stands in the padding too.
        found: Tensor = self.alpha * x + (1 - self.alpha) * self.dino_conv(y).permute(0, 2, 3, 1)
        return found

    def extracted(self, c: Tensor, x: Tensor, around: Tensor) -> Tensor:
        """c (n, tokens + 1, width) after all three extractors."""
        x = x.flatten(1, 2)
        c = self.extractor(c, x, around)
        for extra in self.extra_extractors:
            c = extra(c, x, around)
        return c


def centred(x: Tensor, grid: int) -> Tensor:
    """(n, channels, rows, columns) resized to the grid on its LONG side and zero-padded to a square, CENTRED.

    The SAM image is padded at the bottom and right instead, so in images that are not square the two do not lie on one
    another. The network was trained so.
    """
    rows, columns = (round(side * grid / max(x.shape[2:])) for side in x.shape[2:])  # halves go to the even number
    x = resized(x, (rows, columns))
    top, left = (grid - rows) // 2, (grid - columns) // 2
    return f.pad(x, (left, grid - columns - left, top, grid - rows - top))


def feature_map(c: Tensor, x: Tensor, prior: Prior, *, up: nn.Module, norm: FrozenBatchNorm) -> Tensor:
    """f3 of a stage, (n, width, grid, grid): all four scales at the grid's size, and the grid itself, summed."""
    grid = x.shape[1]
    sides = sides_of(grid)
    parts = torch.split(c[:, :-1], [side * side for side in sides], dim=1)
    t2, t3, t4 = (as_map(one, side, side) for one, side in zip(parts, sides, strict=True))
    total = (
        quarter_after_up(t2, up.get_parameter("weight"), up.get_parameter("bias"))
        + prior.c1
        + resized(t2, (grid, grid))
        + t3
        + resized(t4, (grid, grid))
    )
    found: Tensor = norm(total + x.permute(0, 3, 1, 2))  # ONE normalisation, norm3, serves all stages
    return found
