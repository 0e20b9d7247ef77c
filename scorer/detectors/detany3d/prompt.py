"""The prompt encoder: box corners and the grid as random Fourier features (Tancik et al., 2020), as in SAM."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.config import Config

_CORNERS = (2, 3)
"""The published codes 0 and 1 are for points; 2 is the top left corner, 3 the bottom right one."""


class PromptEncoder(nn.Module):
    """Boxes in pixels of the frame -> two tokens each; the grid's dense codes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.prompt_width
        self.frame, self.grid, self.table = config.frame, config.grid, config.sam_table
        self.pe_layer = _Fourier(width // 2)
        self.point_embeddings = nn.ModuleDict({str(index): nn.Embedding(1, width) for index in _CORNERS})
        self.no_mask_embed = nn.Embedding(1, width)

    def sparse(self, boxes: Tensor) -> Tensor:
        """Whole-pixel boxes (n, 4) [x1, y1, x2, y2] -> (n, 2, 256). Half a pixel is added to every corner."""
        corners = (boxes.view(-1, 2, 2).float() + 0.5) / self.frame
        codes = tuple(self.point_embeddings.get_parameter(f"{index}.weight") for index in _CORNERS)
        found: Tensor = self.pe_layer(corners) + torch.cat(codes)
        return found

    def dense_positions(self) -> Tensor:
        """(1, 256, 56, 56). Made on a grid of 64 cells a side and resized bicubically, not made on the grid of 56."""
        at = (torch.arange(self.table, device=self.no_mask_embed.weight.device, dtype=torch.float32) + 0.5) / self.table
        codes = self.pe_layer(torch.stack(torch.meshgrid(at, at, indexing="xy"), dim=-1)).permute(2, 0, 1)[None]
        return f.interpolate(codes, size=(self.grid, self.grid), mode="bicubic", align_corners=False)

    def dense(self, boxes: int) -> Tensor:
        """(boxes, 256, 56, 56): the code for "no mask" everywhere."""
        return self.no_mask_embed.weight[:, :, None, None].expand(boxes, -1, self.grid, self.grid)


class _Fourier(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.positional_encoding_gaussian_matrix: Tensor
        self.register_buffer("positional_encoding_gaussian_matrix", torch.zeros(2, count))

    def forward(self, points: Tensor) -> Tensor:
        """(…, 2) [x, y] in [0, 1] -> (…, 2 * count)."""
        angles = 2 * math.pi * ((2 * points - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)
