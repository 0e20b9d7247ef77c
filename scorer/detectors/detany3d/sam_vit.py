"""The blocks of SAM's image encoder (Kirillov et al., 2023; ViTDet, Li et al., 2022): windows and relative
positions."""

from __future__ import annotations

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.layers import SAM_EPSILON, unflattened

_ALIGNMENT = 8
"""Attention kernels on GPUs want head widths that are multiples of this."""


class Block(nn.Module):
    """(n, rows, columns, width) -> the same. ``window``: side of its windows, None for attention over the whole
    grid."""

    def __init__(self, config: Config, *, window: int | None) -> None:
        super().__init__()
        width = config.sam_width
        self.window = window
        # Global tables are made for the 64-grid of SAM's 1024-pixel frame and are interpolated to ours when used.
        self.norm1 = nn.LayerNorm(width, eps=SAM_EPSILON)
        self.attn = Attention(width, config.sam_heads, side=config.sam_table if window is None else window)
        self.norm2 = nn.LayerNorm(width, eps=SAM_EPSILON)
        self.mlp = _Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        """Attention, then MLP, each added to its input. The grid is a whole number of windows: nothing is padded."""
        x = x + self._attended(self.norm1(x))
        found: Tensor = x + self.mlp(self.norm2(x))
        return found

    def _attended(self, x: Tensor) -> Tensor:
        if self.window is None:
            whole: Tensor = self.attn(x)
            return whole
        n, rows, columns, width = x.shape
        side = self.window
        x = x.view(n, rows // side, side, columns // side, side, width).transpose(2, 3)
        x = self.attn(x.reshape(-1, side, side, width))
        x = x.view(n, rows // side, columns // side, side, side, width).transpose(2, 3)
        return x.reshape(n, rows, columns, width)


class Attention(nn.Module):
    """Attention over a square grid with decomposed relative positions. ``side``: what the tables were made for."""

    def __init__(self, width: int, heads: int, *, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, width // heads))

    def forward(self, x: Tensor) -> Tensor:
        """(n, side, side, width) -> the same.

        The logits q.k / sqrt(d) + q.Rh[qh - kh] + q.Rw[qw - kw] are one product of longer vectors: q gets its products
        with all row and column codes, k the one-hot codes of its own row and column. So no table of all pairs is ever
        held and any fused attention kernel does it.
        """
        n, side, _, width = x.shape
        d = width // self.heads
        # (n, tokens, 3, heads, d): three first, then heads
        q, k, v = unflattened(self.qkv(x.flatten(1, 2)), -1, (3, self.heads, d)).permute(2, 0, 3, 1, 4)
        q = torch.cat([q, self._positions(q, side) * d**0.5], dim=-1)
        k = torch.cat([k, _codes(side, k).expand(n, self.heads, -1, -1)], dim=-1)
        spare = -q.shape[-1] % _ALIGNMENT
        q, k, v = f.pad(q, (0, spare)), f.pad(k, (0, spare)), f.pad(v, (0, q.shape[-1] + spare - d))
        out = f.scaled_dot_product_attention(q, k, v, scale=d**-0.5)[..., :d]
        found: Tensor = self.proj(out.transpose(1, 2).reshape(n, side, side, width))
        return found

    def _positions(self, q: Tensor, side: int) -> Tensor:
        """(n, heads, tokens, 2 * side): q times the codes of every key row, then of every key column.

        The q in these terms is UNSCALED, unlike in q.k / sqrt(d).
        """
        grid = unflattened(q, 2, (side, side))
        rows = torch.einsum("nhijd,ikd->nhijk", grid, _table(self.rel_pos_h, side).to(q.dtype))
        columns = torch.einsum("nhijd,jkd->nhijk", grid, _table(self.rel_pos_w, side).to(q.dtype))
        return torch.cat([rows, columns], dim=-1).flatten(2, 3)


def _table(codes: Tensor, side: int) -> Tensor:
    """(side, side, d): the code of query i and key k, at index i - k + side - 1 of the table resized to that side."""
    if len(codes) != 2 * side - 1:
        codes = f.interpolate(codes.T[None].float(), size=2 * side - 1, mode="linear", align_corners=False)[0].T
    at = torch.arange(side, device=codes.device)
    return codes[at[:, None] - at[None, :] + side - 1]


def _codes(side: int, like: Tensor) -> Tensor:
    """(tokens, 2 * side): one-hot row, one-hot column."""
    eye = torch.eye(side, device=like.device, dtype=like.dtype)
    return torch.cat([eye.repeat_interleave(side, dim=0), eye.repeat(side, 1)], dim=1)


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, 4 * width)
        self.lin2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.lin2(f.gelu(self.lin1(x)))
        return found
