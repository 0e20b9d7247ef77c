"""How exactly, and how fast, the network computes: named, passed explicitly, recorded in reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch

Autocast = Literal["bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class Precision:
    """``autocast``: the type in which the backbones multiply; None: float32. ``tf32``: whether the GPU may shorten
    float32 factors.

    ``channels_last``: memory layout of the convolutions of the side branch. ``compiled``: whether the backbones go
    through torch.compile. ``graphs``: and are replayed as CUDA graphs. ``on_device``: whether images are resized on
    the GPU.
    """

    name: str
    autocast: Autocast | None = None
    tf32: bool = False
    channels_last: bool = False
    compiled: bool = False
    graphs: bool = False
    on_device: bool = False

    @property
    def dtype(self) -> torch.dtype | None:
        """The torch type of ``autocast``."""
        return {None: None, "bfloat16": torch.bfloat16, "float16": torch.float16}[self.autocast]

    @contextmanager
    def active(self) -> Iterator[None]:
        """Set torch's process-wide switches for float32 products to this precision's, and put them back afterwards."""
        matmul, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
        torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = self.tf32
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(matmul)
            torch.backends.cudnn.allow_tf32 = convolutions


PARITY = Precision(name="parity")
"""Float32 everywhere, TF32 off, images resized on the CPU: what the reference values are compared with."""

FAST = Precision(
    name="fast", autocast="bfloat16", tf32=True, channels_last=True, compiled=True, graphs=True, on_device=True
)
"""For GPUs. Its deviation from :data:`PARITY` is measured by benchmarks/detector.py, not assumed."""

NAMES = {one.name: one for one in (PARITY, FAST)}
