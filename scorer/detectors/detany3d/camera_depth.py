"""The camera and depth head: predicted intrinsics, and the camera, scale and depth features that steer the decoder.

What only serves the depth map (its decoder, confidence, scale and shift) is left out: no box depends on it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.attending import Cross, Mlp
from scorer.detectors.detany3d.config import STAGES, Config
from scorer.detectors.detany3d.dinov2 import Taps
from scorer.detectors.detany3d.layers import HEAD_EPSILON, as_tokens, resized
from scorer.detectors.detany3d.rays import fourier, rays_of

CAMERA_LEVELS = (1, 2, 3, 2)
"""The levels whose class tokens become camera tokens, in that order; 2 comes twice."""
GLOBAL_LEVELS = (2, 3)


class Camera(NamedTuple):
    """``matrix``: predicted intrinsics (n, 3, 3) in pixels of the crop. ``camera``: (n, 4, 512). ``metric``: (n, 2,
    512). ``depth``: (n, h * w, 512), row-major. ``levels``: the level codes (4, 512). ``size``: (h, w)."""

    matrix: Tensor
    camera: Tensor
    metric: Tensor
    depth: Tensor
    levels: Tensor
    size: tuple[int, int]


class Adapters(nn.Module):
    """One normalised projection to the head's width for each level."""

    def __init__(self, before: int, after: int, count: int) -> None:
        super().__init__()
        self.input_adapters = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(before, eps=HEAD_EPSILON), nn.Linear(before, after), nn.GELU())
            for _ in range(count)
        )

    def forward(self, levels: tuple[Tensor, ...]) -> list[Tensor]:
        """Each (n, tokens, before) -> (n, tokens, after)."""
        return [adapter(one) for adapter, one in zip(self.input_adapters, levels, strict=True)]


class CameraDepthHead(nn.Module):
    """Features of both backbones -> :class:`Camera`."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        d, dino, sam = config.hidden, config.dino_width, config.sam_width
        rays = 3 * config.ray_scales + 3
        self.ray_scales = config.ray_scales
        self.level_embeds = nn.Parameter(torch.zeros(STAGES, d))
        self.level_embed_layer = nn.Sequential(
            nn.Linear(d, d), nn.GELU(), nn.Linear(d, d), nn.LayerNorm(d, eps=HEAD_EPSILON)
        )
        self.input_adapter = Adapters(dino, d, STAGES)
        self.input_adapter_for_sam = Adapters(sam, d, STAGES)
        self.camera_token_adapter = Adapters(dino, d, len(CAMERA_LEVELS))
        self.camera_token_adapter_for_sam = Adapters(sam, d, len(CAMERA_LEVELS))
        self.global_token_adapter = Adapters(dino, d, len(GLOBAL_LEVELS))
        self.global_token_adapter_for_sam = Adapters(sam, d, len(GLOBAL_LEVELS))
        self.camera_layer = _CameraLayer(d, tokens=len(CAMERA_LEVELS))
        self.global_layer = _GlobalLayer(d, rays)
        self.depth_layer = _DepthLayer(d, rays)

    def forward(
        self,
        dino: Taps,
        maps: tuple[Tensor, ...],
        classes: tuple[Tensor, ...],
        *,
        crop: tuple[int, int],
        size: tuple[int, int],
    ) -> Camera:
        """``maps`` and ``classes``: the SAM side's. ``crop``: (H, W) in pixels. ``size``: (h, w), the part of the
        SAM grid that lies wholly on the image."""
        levels = self.level_tokens(dino.maps, maps, size)
        everything = torch.cat(levels, dim=1)  # level-major
        codes = self.level_embed_layer(self.level_embeds)
        places = sine_positions(size, codes.shape[1], device=codes.device)
        positions = (codes[:, None] + places).flatten(0, 1)[None]
        tokens = _tokens(
            self.camera_token_adapter, self.camera_token_adapter_for_sam, dino.classes, classes, CAMERA_LEVELS
        )
        camera, raw = self.camera_layer(tokens, everything + positions)
        matrix = intrinsics(raw.float(), crop)
        rays = fourier(rays_of(matrix, crop, size), size, self.ray_scales)
        tokens = _tokens(
            self.global_token_adapter, self.global_token_adapter_for_sam, dino.classes, classes, GLOBAL_LEVELS
        )
        metric = self.global_layer(tokens, everything, rays)
        return Camera(matrix, camera, metric, self.depth_layer(levels, everything, positions, rays), codes, size)

    def level_tokens(self, dino: tuple[Tensor, ...], sam: tuple[Tensor, ...], size: tuple[int, int]) -> list[Tensor]:
        """Four of (n, h * w, 512). SAM's maps are cropped to the image, DINOv2's, which show only the image, resized
        to it."""
        ours = self.input_adapter(tuple(as_tokens(resized(one.permute(0, 3, 1, 2), size)) for one in dino))
        theirs = self.input_adapter_for_sam(tuple(as_tokens(one[:, :, : size[0], : size[1]]) for one in sam))
        return [one + other for one, other in zip(ours, theirs, strict=True)]


def _tokens(
    dino: Adapters, sam: Adapters, of_dino: tuple[Tensor, ...], of_sam: tuple[Tensor, ...], levels: tuple[int, ...]
) -> Tensor:
    """(n, len(levels), 512)."""
    chosen = dino(tuple(of_dino[level] for level in levels)), sam(tuple(of_sam[level] for level in levels))
    return torch.cat([one + other for one, other in zip(*chosen, strict=True)], dim=1)


def sine_positions(size: tuple[int, int], width: int, *, device: torch.device) -> Tensor:
    """(h * w, width): DETR's sine codes (Carion et al., 2020), half the channels for y, then half for x.

    Coordinates run to 2 pi over each side; sines stand at even channels, cosines at odd ones, temperature 10000.
    """
    half = width // 2
    rate = 10000 ** (2 * torch.div(torch.arange(half, device=device), 2, rounding_mode="floor") / half)
    axes = []
    for count in size:
        at = torch.arange(1, count + 1, device=device, dtype=torch.float32) / (count + 1e-6) * (2 * math.pi)
        angles = at[:, None] / rate
        axes.append(torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], dim=-1).flatten(1))
    y, x = axes
    return torch.cat([y[:, None].expand(*size, half), x[None].expand(*size, half)], dim=-1).flatten(0, 1)


def intrinsics(raw: Tensor, crop: tuple[int, int]) -> Tensor:
    """Four numbers (n, 4) -> matrices (n, 3, 3) in pixels of the crop (H, W)."""
    height, width = crop
    zero, one = torch.zeros_like(raw[:, 0]), torch.ones_like(raw[:, 0])
    fx, fy = (max(crop) / 2 * raw[:, :2].exp()).unbind(1)
    cx, cy = width * raw[:, 2].sigmoid(), height * raw[:, 3].sigmoid()
    return torch.stack([fx, zero, cx, zero, fy, cy, zero, zero, one], dim=1).view(-1, 3, 3)


class _CameraLayer(nn.Module):
    def __init__(self, d: int, *, tokens: int) -> None:
        super().__init__()
        self.latents_pos = nn.Parameter(torch.zeros(1, tokens, d))
        self.in_features = Mlp(d, 2)
        self.project_cls = Mlp(d, 4)
        self.aggregate1 = Cross(d)
        self.aggregate2 = Cross(d)
        self.out = Mlp(d, 2, out=1)

    def forward(self, tokens: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Camera features (n, 4, 512) and the four raw numbers of the intrinsics (n, 4)."""
        t = self.project_cls(tokens)
        context = torch.cat([self.in_features(features), t], dim=1)  # the same, with these tokens, for both
        t = self.aggregate1(t, context, query_positions=self.latents_pos)
        t = self.aggregate2(t, context, query_positions=self.latents_pos)
        return t, self._raw(t)

    def _raw(self, t: Tensor) -> Tensor:
        """The last MLP in float64: focal lengths are its exponential, and pixels of a wide image feel float32's
        rounding."""
        first, second = self.out.proj1, self.out.proj2
        hidden = f.gelu(f.linear(self.out.norm(t.float()).double(), first.weight.double(), first.bias.double()))
        return f.linear(hidden, second.weight.double(), second.bias.double())[..., 0].float()


class _GlobalLayer(nn.Module):
    """Its ``out`` (scale and shift) serves the depth map alone and is left out."""

    def __init__(self, d: int, rays: int) -> None:
        super().__init__()
        self.in_features = nn.Linear(d, d)
        self.project_rays = nn.Linear(rays, d)
        self.project_cls = Mlp(d, 4)
        self.aggregate1 = Cross(d)
        self.aggregate2 = Cross(d)

    def forward(self, tokens: Tensor, everything: Tensor, rays: Tensor) -> Tensor:
        """(n, 2, 512)."""
        t = self.project_cls(tokens)
        features = self.in_features(everything + self.project_rays(rays).repeat(1, STAGES, 1))
        context = torch.cat([features, t], dim=1)
        found: Tensor = self.aggregate2(self.aggregate1(t, context), context)
        return found


class _DepthLayer(nn.Module):
    def __init__(self, d: int, rays: int) -> None:
        super().__init__()
        self.features_channel_cat = nn.Linear(STAGES * d, d)
        self.to_latents = Mlp(d, 2)
        self.aggregate_16 = Cross(d)
        self.prompt_camera = Cross(d)
        self.rays_layers = nn.ModuleList([nn.Linear(rays, d)])  # .1 and .2 serve the depth map

    def forward(self, levels: list[Tensor], everything: Tensor, positions: Tensor, rays: Tensor) -> Tensor:
        """(n, h * w, 512)."""
        z = self.features_channel_cat(torch.cat(levels, dim=-1))
        z = z + self.to_latents(z)
        z = self.aggregate_16(z, everything, key_positions=positions)
        found: Tensor = self.prompt_camera(z, self.rays_layers[0](rays))
        return found
