"""Layers that several parts share. Parameter names are the published ones; nothing here trains."""

from __future__ import annotations

import torch
import torch.nn.functional as f
from torch import Tensor, nn

SAM_EPSILON = 1e-6
HEAD_EPSILON = 1e-5


class FrozenBatchNorm(nn.Module):
    """Batch normalisation by stored statistics, (n, channels, rows, columns). Published as SyncBatchNorm, same keys."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return f.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, 1e-5)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of (n, channels, rows, columns)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        channels = self.weight.shape[0]
        return f.layer_norm(x.permute(0, 2, 3, 1), (channels,), self.weight, self.bias, SAM_EPSILON).permute(0, 3, 1, 2)


class Scale(nn.Module):
    """A learnt factor for each channel (``gamma``)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x * self.gamma


def unflattened(x: Tensor, axis: int, sizes: tuple[int, ...]) -> Tensor:
    """One axis as several, as ``Tensor.unflatten``, which has no types."""
    found: Tensor = torch.unflatten(x, axis, sizes)
    return found


def heads_first(x: Tensor, heads: int) -> Tensor:
    """(n, tokens, width) -> (n, heads, tokens, width / heads)."""
    return unflattened(x, -1, (heads, -1)).transpose(1, 2)


def heads_joined(x: Tensor) -> Tensor:
    """(n, heads, tokens, d) -> (n, tokens, heads * d)."""
    return x.transpose(1, 2).flatten(2)


def as_tokens(x: Tensor) -> Tensor:
    """(n, channels, rows, columns) -> (n, rows * columns, channels), row-major."""
    return x.flatten(2).transpose(1, 2)


def as_map(x: Tensor, rows: int, columns: int) -> Tensor:
    """(n, rows * columns, channels) -> (n, channels, rows, columns)."""
    return unflattened(x.transpose(1, 2), 2, (rows, columns))


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, corners not aligned, no antialiasing: the network's ordinary resizing of (n, channels, rows,
    columns)."""
    return f.interpolate(x, size=size, mode="bilinear", align_corners=False)
