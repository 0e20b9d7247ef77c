"""DINOv2 (Oquab et al., 2023): a vision transformer without registers, tapped at four blocks.

Keys as published by Meta: ``cls_token``, ``pos_embed``, ``patch_embed.proj``, ``blocks.N.{norm1,attn,ls1,…}``,
``norm``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.layers import (
    SAM_EPSILON,
    Scale,
    as_map,
    as_tokens,
    heads_first,
    heads_joined,
    unflattened,
)


class Taps(NamedTuple):
    """Four levels. ``maps``: (n, rows, columns, width) each; ``classes``: (n, 1, width) each."""

    maps: tuple[Tensor, ...]
    classes: tuple[Tensor, ...]


class DinoV2(nn.Module):
    """Images (n, 3, H, W), sides multiples of the patch, DINO-normalised, not padded."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.dino_width
        self.taps = config.dino_taps
        self.table = config.dino_table
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.dino_table**2, width))
        self.patch_embed = _Patches(width, config.dino_patch)
        self.blocks = nn.ModuleList(_Block(width, config.dino_heads) for _ in range(config.dino_depth))
        self.norm = nn.LayerNorm(width, eps=SAM_EPSILON)

    def forward(self, images: Tensor) -> Taps:
        """The four tapped blocks' outputs, each through the one shared final normalisation."""
        x = self.patch_embed(images)
        rows, columns = x.shape[2:]
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), as_tokens(x)], dim=1) + self.positions(rows, columns)
        found: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                found.append(self.norm(x))
        return Taps(
            tuple(unflattened(one[:, 1:], 1, (rows, columns)) for one in found),
            tuple(one[:, :1] for one in found),
        )

    def positions(self, rows: int, columns: int) -> Tensor:
        """(1, 1 + rows * columns, width). The table is resized BY SIZE; the historical scale factor + 0.1 is not
        used."""
        table = as_map(self.pos_embed[:, 1:], self.table, self.table)
        table = f.interpolate(table.float(), size=(rows, columns), mode="bicubic", align_corners=False)
        return torch.cat([self.pos_embed[:, :1], as_tokens(table)], dim=1)


class _Patches(nn.Module):
    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.proj(images)
        return found


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=SAM_EPSILON)
        self.attn = _Attention(width, heads)
        self.ls1 = Scale(width)
        self.norm2 = nn.LayerNorm(width, eps=SAM_EPSILON)
        self.mlp = _Mlp(width)
        self.ls2 = Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        found: Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return found


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (heads_first(one, self.heads) for one in self.qkv(x).chunk(3, dim=-1))
        found: Tensor = self.proj(heads_joined(f.scaled_dot_product_attention(q, k, v)))
        return found


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.fc2(f.gelu(self.fc1(x)))
        return found
