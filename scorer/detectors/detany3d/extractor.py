"""Extractors: the side branch's tokens gather what they need from the transformer's grid (deformable attention).

Deformable attention (Zhu et al., 2021) with one level is one ``grid_sample``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.layers import SAM_EPSILON, as_map, as_tokens, unflattened

FFN_RATIO = 4
VALUE_RATIO = 2


def sides_of(grid: int) -> tuple[int, int, int]:
    """The sides of the three token maps: 112, 56, 28 for the grid of 56."""
    return 2 * grid, grid, grid // 2


def references(grid: int, *, like: Tensor) -> Tensor:
    """(tokens + 1, 2): the (x, y) in [0, 1] that each token samples around; pixel centres, (0.5, 0.5) for the class
    token."""
    found = []
    for side in sides_of(grid):
        at = (torch.arange(side, device=like.device, dtype=torch.float32) + 0.5) / side
        found.append(torch.stack(torch.meshgrid(at, at, indexing="xy"), dim=-1).flatten(0, 1))
    found.append(torch.full((1, 2), 0.5, device=like.device))
    return torch.cat(found)


class Extractor(nn.Module):
    """c (n, tokens + 1, width; the class token last), x (n, grid², width) -> c."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.sam_width
        self.query_norm = nn.LayerNorm(width, eps=SAM_EPSILON)
        self.feat_norm = nn.LayerNorm(width, eps=SAM_EPSILON)
        self.attn = DeformableAttention(width, heads=config.deform_heads, points=config.deform_points)
        self.ffn_norm = nn.LayerNorm(width, eps=SAM_EPSILON)
        self.ffn = _FeedForward(width, config.grid)
        self.grid = config.grid

    def forward(self, c: Tensor, x: Tensor, around: Tensor) -> Tensor:
        """``around``: :func:`references`."""
        c = c + self.attn(self.query_norm(c), as_map(self.feat_norm(x), self.grid, self.grid), around)
        found: Tensor = c + self.ffn(self.ffn_norm(c))
        return found


class DeformableAttention(nn.Module):
    """Each head reads ``points`` places of the map around the query's own and mixes them."""

    def __init__(self, width: int, *, heads: int, points: int) -> None:
        super().__init__()
        self.heads, self.points = heads, points
        self.sampling_offsets = nn.Linear(width, heads * points * 2)
        self.attention_weights = nn.Linear(width, heads * points)
        self.value_proj = nn.Linear(width, width // VALUE_RATIO)
        self.output_proj = nn.Linear(width // VALUE_RATIO, width)

    def forward(self, queries: Tensor, features: Tensor, around: Tensor) -> Tensor:
        """queries (n, tokens, width), features (n, width, rows, columns), around (tokens, 2) -> (n, tokens, width)."""
        n, _, rows, columns = features.shape
        tokens = queries.shape[1]
        values = as_map(self.value_proj(as_tokens(features)), rows, columns)
        values = unflattened(values, 1, (self.heads, -1)).flatten(0, 1)
        # (head, point, xy) is the order of the offsets, in cells of the map
        offsets = self.sampling_offsets(queries).float().view(n, tokens, self.heads, self.points, 2)
        at = around[None, :, None, None] + offsets / offsets.new_tensor([columns, rows])
        shares = self.attention_weights(queries).float().view(n, tokens, self.heads, self.points).softmax(dim=-1)
        # Zeros outside; corners not aligned. Places stay float32: half precision moves them by tenths of a cell.
        places = (2 * at - 1).transpose(1, 2).flatten(0, 1)
        sampled = f.grid_sample(values.float(), places, mode="bilinear", padding_mode="zeros", align_corners=False)
        mixed = (sampled * shares.transpose(1, 2).flatten(0, 1)[:, None]).sum(dim=-1)
        found: Tensor = self.output_proj(mixed.view(n, -1, tokens).transpose(1, 2))
        return found


class _FeedForward(nn.Module):
    def __init__(self, width: int, grid: int) -> None:
        super().__init__()
        inner = width // FFN_RATIO
        self.sides = sides_of(grid)
        self.fc1 = nn.Linear(width, inner)
        self.dwconv = _Depthwise(inner)
        self.fc2 = nn.Linear(inner, width)

    def forward(self, c: Tensor) -> Tensor:
        """One depthwise convolution on each of the three maps, with the same weights; the class token goes round it."""
        *maps, last = torch.split(self.fc1(c), [side * side for side in self.sides] + [1], dim=1)
        moved = [as_tokens(self.dwconv(as_map(one, side, side))) for one, side in zip(maps, self.sides, strict=True)]
        found: Tensor = self.fc2(f.gelu(torch.cat([*moved, last], dim=1)))
        return found


class _Depthwise(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.dwconv(x)
        return found
