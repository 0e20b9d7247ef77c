"""Viewing rays of a camera, and their Fourier codes."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as f
from torch import Tensor

from scorer.detectors.detany3d.layers import unflattened


def rays_of(matrix: Tensor, crop: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """(n, h * w, 3) unit rays of intrinsics (n, 3, 3): made for every pixel centre of the crop (H, W), then shrunk
    to (h, w).

    Shrinking is antialiased, unlike all other resizing in the network, and the rays are made unit length before AND
    after.
    """
    height, width = crop
    x = torch.arange(width, device=matrix.device, dtype=torch.float32) + 0.5
    y = torch.arange(height, device=matrix.device, dtype=torch.float32) + 0.5
    across, down = torch.meshgrid(x, y, indexing="xy")
    pixels = torch.stack([across, down, torch.ones_like(across)]).flatten(1)
    rays = unflattened(f.normalize(torch.linalg.inv(matrix) @ pixels, dim=1), 2, (height, width))
    rays = f.interpolate(rays, size=size, mode="bilinear", align_corners=False, antialias=True)
    return f.normalize(rays, dim=1).flatten(2).transpose(1, 2)


def fourier(rays: Tensor, size: tuple[int, int], scales: int) -> Tensor:
    """(n, tokens, 3 * scales + 3): sines at scales from 1 to half the longer side of the grid, x first; then the
    rays."""
    powers = torch.linspace(0, math.log2(max(size) // 2), scales, device=rays.device)
    waves = (rays[..., None] * 2**powers * math.pi).sin()
    return torch.cat([waves.flatten(-2), rays], dim=-1)
