"""SAM's two-way transformer: tokens attend to one another and to the image, the image attends to the tokens."""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.layers import HEAD_EPSILON, heads_first, heads_joined


class Both(NamedTuple):
    """``tokens``: (n, 14, 256). ``image``: (n, 3136, 256)."""

    tokens: Tensor
    image: Tensor


class Attention(nn.Module):
    """Queries, keys and values are projected to ``inner`` channels, then back."""

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(width, inner)
        self.v_proj = nn.Linear(width, inner)
        self.out_proj = nn.Linear(inner, width)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """(n, tokens, width) each."""
        q, k, v = (
            heads_first(projection(one), self.heads)
            for projection, one in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        )
        found: Tensor = self.out_proj(heads_joined(f.scaled_dot_product_attention(q, k, v)))
        return found


class Layer(nn.Module):
    """One layer. ``first``: its self-attention has neither positions nor a residual."""

    def __init__(self, config: Config, *, first: bool) -> None:
        super().__init__()
        width, heads = config.prompt_width, config.decoder_heads
        self.first = first
        self.self_attn = Attention(width, width, heads)
        self.norm1 = nn.LayerNorm(width, eps=HEAD_EPSILON)
        self.cross_attn_token_to_image = Attention(width, width // 2, heads)
        self.norm2 = nn.LayerNorm(width, eps=HEAD_EPSILON)
        self.mlp = _Mlp(width, config.decoder_mlp)
        self.norm3 = nn.LayerNorm(width, eps=HEAD_EPSILON)
        self.norm4 = nn.LayerNorm(width, eps=HEAD_EPSILON)
        self.cross_attn_image_to_token = Attention(width, width // 2, heads)

    def forward(self, both: Both, positions: Both) -> Both:
        """``positions``: of the tokens (the initial tokens themselves) and of the image."""
        q, k = both
        q = self.norm1(self._among_tokens(q, positions.tokens))
        q = self.norm2(q + self.cross_attn_token_to_image(q + positions.tokens, k + positions.image, k))
        q = self.norm3(q + self.mlp(q))
        k = self.norm4(k + self.cross_attn_image_to_token(k + positions.image, q + positions.tokens, q))
        return Both(q, k)

    def _among_tokens(self, q: Tensor, positions: Tensor) -> Tensor:
        if self.first:
            alone: Tensor = self.self_attn(q, q, q)
            return alone
        placed = q + positions
        found: Tensor = q + self.self_attn(placed, placed, q)
        return found


class _Mlp(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, inner)
        self.lin2 = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.lin2(
            f.relu(self.lin1(x))
        )  # the only rectifier among the transformers; all others are GELU
        return found


class Main(nn.Module):
    """The transformer that answers: two layers and a last look at the image."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.prompt_width
        self.layers = nn.ModuleList([Layer(config, first=True), Layer(config, first=False)])
        self.final_attn_token_to_image = Attention(width, width // 2, config.decoder_heads)
        self.norm_final_attn = nn.LayerNorm(width, eps=HEAD_EPSILON)

    def forward(self, both: Both, positions: Both, control: Tensor) -> Tensor:
        """Tokens (n, 14, 256). ``control`` (n, 3136, 256) is added to the image between the two layers."""
        both = self.layers[0](both, positions)
        q, k = self.layers[1](Both(both.tokens, both.image + control), positions)
        last = self.final_attn_token_to_image(q + positions.tokens, k + positions.image, k)
        found: Tensor = self.norm_final_attn(q + last)
        return found


class Control(nn.Module):
    """The transformer that carries the camera's and depth's control: only its first layer is ever used."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(config, first=True)])

    def forward(self, both: Both, positions: Both) -> Both:
        """One layer."""
        found: Both = self.layers[0](both, positions)
        return found
