"""The sizes of the network. The published one is :func:`full`; the smaller ones are for tests and references."""

from __future__ import annotations

from dataclasses import dataclass

STAGES = 4
"""Stages of the image encoder; each ends with one fusion of DINOv2 features, one set of feature maps, one class
token."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Widths in channels, sides in pixels, block counts; ``sam_global`` and ``dino_taps`` are block indices from 0."""

    sam_depth: int
    sam_global: tuple[int, ...]
    dino_depth: int
    dino_taps: tuple[int, int, int, int]
    frame: int = 896
    sam_width: int = 1280
    sam_heads: int = 16
    sam_patch: int = 16
    sam_window: int = 14
    sam_table: int = 64
    dino_width: int = 1024
    dino_heads: int = 16
    dino_patch: int = 14
    dino_table: int = 37
    stem_width: int = 64
    deform_heads: int = 16
    deform_points: int = 4
    hidden: int = 512
    ray_scales: int = 32
    prompt_width: int = 256
    decoder_heads: int = 8
    decoder_mlp: int = 2048
    candidates: int = 3
    angle_bins: int = 12

    @property
    def grid(self) -> int:
        """Side of the SAM grid in patches: 56."""
        return self.frame // self.sam_patch


def full() -> Config:
    """The published network: SAM ViT-H, DINOv2-L."""
    # The taps are the LAST four blocks, not evenly spaced ones.
    return Config(sam_depth=32, sam_global=(7, 15, 23, 31), dino_depth=24, dino_taps=(20, 21, 22, 23))


def tiny() -> Config:
    """Real widths, two SAM blocks a stage (one windowed, one global), four DINO blocks: the small references'
    network."""
    return Config(sam_depth=8, sam_global=(1, 3, 5, 7), dino_depth=4, dino_taps=(0, 1, 2, 3))


def narrow() -> Config:
    """Tiny in depth and narrow everywhere: every step of the published network in about a second on one core."""
    return Config(
        sam_depth=8,
        sam_global=(1, 3, 5, 7),
        dino_depth=5,
        dino_taps=(1, 2, 3, 4),
        sam_width=64,
        sam_heads=2,
        dino_width=48,
        dino_heads=2,
        stem_width=8,
        deform_heads=4,
        hidden=64,
        ray_scales=8,
        prompt_width=32,
        decoder_heads=2,
        decoder_mlp=64,
    )
