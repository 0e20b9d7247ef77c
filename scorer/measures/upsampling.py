"""Bilinear enlarging as a linear map, and its transpose."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as f
from torch import Tensor


def adjoint(weights: Tensor, *, size: tuple[int, int]) -> Tensor:
    """Per-pixel weights (height, width) turned into weights of the cells (rows, columns) = ``size``, the same type.

    For every map d of that size: sum(adjoint(weights) * d) = sum(weights * up(d)), where up is bilinear enlarging to
    (height, width) with ``align_corners=False``. Exact but for rounding.
    """
    rows = _matrix(size[0], weights.shape[0]).to(weights)
    columns = _matrix(size[1], weights.shape[1]).to(weights)
    return rows.T @ weights @ columns


@lru_cache(maxsize=64)
def _matrix(cells: int, pixels: int) -> Tensor:
    """Enlarging along one axis as a matrix (pixels, cells), float32: each row has at most two entries, sum 1."""
    identity = torch.eye(cells).unsqueeze(0)
    return f.interpolate(identity, size=pixels, mode="linear", align_corners=False)[0].T.contiguous()
