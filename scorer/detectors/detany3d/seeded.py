"""Random weights that are a pure function of (key, shape, seed): what the reference values were made with.

No array is left at a neutral value (a gate of one, a convolution of zeros), so that every path changes the result.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable

import torch
from torch import Tensor

from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.model import DetAny3D

_Rule = Callable[[Tensor], Tensor]

_TOKENS = (
    r"(?:iou_token|mask_tokens|box_iou_token|box_token|box_token_3d|no_mask_embed|point_embeddings\.\d+)\.weight$"
    r"|(?:pos_embed|cls_token|level_embed|level_embeds|latents_pos)$"
)

_RULES: tuple[tuple[re.Pattern[str], _Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"running_mean$", lambda r: 0.1 * r),
        (r"running_var$", lambda r: 0.5 + r.abs()),
        (r"\.alpha$", lambda r: 0.6 + 0.05 * r),
        (r"\.gamma$", lambda r: 0.5 + 0.05 * r),
        (r"positional_encoding_gaussian_matrix$", lambda r: r),
        (r"rel_pos", lambda r: 0.1 * r),
        (_TOKENS, lambda r: 0.5 * r),
        (r"sampling_offsets\.bias$", lambda r: 2.0 * r),
    )
)
"""The first rule that matches a key makes its array from standard normal numbers."""


def tensor_of(key: str, shape: tuple[int, ...], *, seed: int) -> Tensor:
    """The float32 array of a published key. ``seed`` is not negative."""
    generator = torch.Generator("cpu").manual_seed(zlib.crc32(key.encode()) + (seed << 32))
    normal = torch.randn(shape, generator=generator, dtype=torch.float32)
    for pattern, rule in _RULES:
        if pattern.search(key):
            return rule(normal)
    if len(shape) == 1:
        return 1 + 0.1 * normal if key.endswith("weight") else 0.05 * normal
    scaled: Tensor = normal / math.prod(shape[1:]) ** 0.5
    return scaled


def network(config: Config, *, seed: int) -> DetAny3D:
    """A whole network of such weights."""
    return DetAny3D.filled(config, lambda key, shape: tensor_of(key, shape, seed=seed))
