"""Building blocks of the camera and depth head."""

from __future__ import annotations

import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.layers import HEAD_EPSILON, Scale


class Mlp(nn.Module):
    """Normalises its input itself; (…, d) -> (…, out)."""

    def __init__(self, d: int, expansion: int, *, out: int | None = None) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(d, eps=HEAD_EPSILON)
        self.proj1 = nn.Linear(d, expansion * d)
        self.proj2 = nn.Linear(expansion * d, d if out is None else out)

    def forward(self, x: Tensor) -> Tensor:
        """No residual here."""
        found: Tensor = self.proj2(f.gelu(self.proj1(self.norm(x))))
        return found


class Cross(nn.Module):
    """Cross-attention with ONE head of the whole width, then an MLP, each scaled and added."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.norm_attnx = nn.LayerNorm(d, eps=HEAD_EPSILON)
        self.norm_attnctx = nn.LayerNorm(d, eps=HEAD_EPSILON)
        self.q = nn.Linear(d, d)
        self.kv = nn.Linear(d, 2 * d)
        self.out = nn.Linear(d, d)
        self.ls1 = Scale(d)
        self.mlp = Mlp(d, 4)
        self.ls2 = Scale(d)

    def forward(
        self, x: Tensor, context: Tensor, *, query_positions: Tensor | None = None, key_positions: Tensor | None = None
    ) -> Tensor:
        """x (n, queries, d), context (n, keys, d) -> x. Positions are added AFTER the projections."""
        q = self.q(self.norm_attnx(x))
        k, v = self.kv(self.norm_attnctx(context)).chunk(2, dim=-1)
        if query_positions is not None:
            q = q + query_positions
        if key_positions is not None:
            k = k + key_positions
        # heads dimension of one, so that fused kernels take it
        mixed = f.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None].to(k.dtype))[:, 0]
        x = x + self.ls1(self.out(mixed))
        found: Tensor = x + self.ls2(self.mlp(x))
        return found
