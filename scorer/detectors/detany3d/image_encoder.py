"""The image encoder: SAM ViT-H with DINOv2 fused in at four stages, a side branch, and the camera and depth head."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.adapter import Interaction, feature_map
from scorer.detectors.detany3d.camera_depth import CameraDepthHead
from scorer.detectors.detany3d.config import STAGES, Config
from scorer.detectors.detany3d.dinov2 import DinoV2, Taps
from scorer.detectors.detany3d.extractor import references
from scorer.detectors.detany3d.layers import ChannelNorm, FrozenBatchNorm
from scorer.detectors.detany3d.sam_vit import Block
from scorer.detectors.detany3d.spatial_prior import Prior, SpatialPrior, levels_of


class Features(NamedTuple):
    """What the backbones see in n images.

    ``dino``: DINOv2's four levels. ``maps``: f3 of each stage, (n, width, grid, grid), not cropped. ``classes``: the
    class token after each stage, (n, 1, width). ``embeddings``: (n, 256, grid, grid).
    """

    dino: Taps
    maps: tuple[Tensor, ...]
    classes: tuple[Tensor, ...]
    embeddings: Tensor

    def as_float(self) -> Features:
        """A copy in float32: computed shorter, or in memory that the next image overwrites."""
        dino = Taps(*(tuple(one.float().clone() for one in level) for level in self.dino))
        maps, classes = (tuple(one.float().clone() for one in level) for level in (self.maps, self.classes))
        return Features(dino, maps, classes, self.embeddings.float().clone())


class ImageEncoder(nn.Module):
    """``forward`` runs the backbones; ``depth_head`` goes on from there."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, side = config.sam_width, config.sam_table
        self.grid = config.grid
        self.pos_embed = nn.Parameter(torch.zeros(1, side, side, width))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.level_embed = nn.Parameter(torch.zeros(3, width))
        self.patch_embed = _Patches(width, config.sam_patch)
        windows = [None if index in config.sam_global else config.sam_window for index in range(config.sam_depth)]
        self.blocks = nn.ModuleList(Block(config, window=window) for window in windows)
        self.spm = SpatialPrior(config)
        self.interactions = nn.ModuleList(Interaction(config) for _ in range(STAGES))
        self.up = nn.ModuleList(nn.ConvTranspose2d(width, width, 2, stride=2) for _ in range(STAGES))
        self.norm3 = FrozenBatchNorm(width)  # norm1, norm2 and norm4 of the published file serve nothing
        self.dino = DinoV2(config)
        self.neck = _neck(width, config.prompt_width)
        self.depth_head = CameraDepthHead(config)

    def forward(self, sam: Tensor, dino: Tensor) -> Features:
        """``sam``: (n, 3, 896, 896), padded; ``dino``: (n, 3, H, W)."""
        return self.staged(self.patch_embed(sam).permute(0, 2, 3, 1), self.dino(dino), self.spm(sam))

    def staged(self, x: Tensor, dino: Taps, prior: Prior) -> Features:
        """Four stages: blocks, fusion, extractors, feature map. The FUSED grid goes into the next stage."""
        x = x + self.positions()
        around = references(self.grid, like=x)
        c = levels_of(prior, self.level_embed)
        c = torch.cat([c, self.cls_token.expand(len(c), -1, -1)], dim=1)
        maps, classes = [], []
        count = len(self.blocks) // STAGES
        for stage in range(STAGES):
            for block in self.blocks[stage * count : (stage + 1) * count]:
                x = block(x)
            x, c = self.interactions[stage](x, c, dino.maps[stage], around)
            maps.append(feature_map(c, x, prior, up=self.up[stage], norm=self.norm3))
            classes.append(c[:, -1:])
        return Features(dino, tuple(maps), tuple(classes), self.neck(x.permute(0, 3, 1, 2)))

    def backbones(self) -> tuple[nn.Module, ...]:
        """Everything but the camera and depth head."""
        return (self.patch_embed, self.blocks, self.spm, self.interactions, self.up, self.dino, self.neck)

    def positions(self) -> Tensor:
        """(1, grid, grid, width): the 64-grid's table, resized bicubically."""
        table = self.pos_embed.permute(0, 3, 1, 2).float()
        size = (self.grid, self.grid)
        return f.interpolate(table, size=size, mode="bicubic", align_corners=False).permute(0, 2, 3, 1)


class _Patches(nn.Module):
    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.proj(images)
        return found


def _neck(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, out, 1, bias=False),
        ChannelNorm(out),
        nn.Conv2d(out, out, 3, padding=1, bias=False),
        ChannelNorm(out),
    )
