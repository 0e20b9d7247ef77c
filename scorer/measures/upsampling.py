"""Bilinear enlarging as a linear map, and its transpose."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import torch
import torch.nn.functional as f
from torch import Tensor

Size = tuple[int, int]


def adjoint(weights: Tensor, *, sizes: Iterable[Size]) -> dict[Size, Tensor]:
    """Per-pixel weights (height, width) turned into weights of the cells (rows, columns), for each of the ``sizes``.

    For every map d of such a size: sum(adjoint(weights) * d) = sum(weights * up(d)), where up is bilinear enlarging to
    (height, width) with ``align_corners=False``. Exact but for rounding.
    """
    # A mask is mostly ones or mostly zeros, and all ones is an outer product: only what differs is multiplied out.
    mostly_ones = bool(2 * weights.sum() > weights.numel())
    part = weights - 1 if mostly_ones else weights
    high, wide = _extent(part.any(dim=1)), _extent(part.any(dim=0))
    found = {}
    for size in set(sizes):
        rows = _matrix(size[0], weights.shape[0]).to(weights)
        columns = _matrix(size[1], weights.shape[1]).to(weights)
        found[size] = rows[high].T @ part[high, wide] @ columns[wide]
        if mostly_ones:
            found[size] += torch.outer(rows.sum(dim=0), columns.sum(dim=0))
    return found


def _extent(flags: Tensor) -> slice:
    """From the first to the last that is set; empty where none is."""
    found = flags.nonzero()
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0)


@lru_cache(maxsize=64)
def _matrix(cells: int, pixels: int) -> Tensor:
    """Enlarging along one axis as a matrix (pixels, cells), float32: each row has at most two entries, sum 1."""
    identity = torch.eye(cells).unsqueeze(0)
    return f.interpolate(identity, size=pixels, mode="linear", align_corners=False)[0].T.contiguous()
