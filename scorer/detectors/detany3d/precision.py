"""How exactly, and how fast, the network computes: named, passed explicitly, recorded in reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn

_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class Precision:
    """One way to compute.

    ``autocast``: the type in which the backbones multiply; None: float32. Camera, decoder and decoding stay float32.
    ``tf32``: whether a GPU may shorten the factors of float32 products. ``channels_last``: memory layout of the side
    branch's convolutions. ``compiled``: whether the backbones go through torch.compile; ``graphs``: and are replayed as
    CUDA graphs. ``on_device``: whether images are resized on the GPU, not on the CPU.
    """

    name: str
    autocast: Literal["bfloat16", "float16"] | None = None
    tf32: bool = False
    channels_last: bool = False
    compiled: bool = False
    graphs: bool = False
    on_device: bool = False

    @property
    def dtype(self) -> torch.dtype | None:
        """The torch type of ``autocast``."""
        return None if self.autocast is None else _TYPES[self.autocast]

    def on(self, device: torch.device) -> Precision:
        """What of it holds on a device: only a GPU has TF32 and graphs, and is worth the minute of compiling."""
        if device.type == "cuda":
            return self
        return replace(self, tf32=False, compiled=False, graphs=False, on_device=False)

    def recorded(self) -> dict[str, str]:
        """For reports."""
        switches = ("tf32", "channels_last", "compiled", "graphs", "on_device")
        found = {"mode": self.name, "autocast": self.autocast or "none"}
        return found | {name: "on" if getattr(self, name) else "off" for name in switches}

    @contextmanager
    def active(self) -> Iterator[None]:
        """Set torch's process-wide switches for float32 products to this precision's; put them back afterwards."""
        matmul, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
        torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = self.tf32
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(matmul)
            torch.backends.cudnn.allow_tf32 = convolutions

    @contextmanager
    def multiplying(self, device: torch.device) -> Iterator[None]:
        """Autocast, for the backbones."""
        with torch.autocast(device.type, dtype=self.dtype, enabled=self.dtype is not None):
            yield


PARITY = Precision(name="parity")
"""Float32 everywhere, TF32 off, images resized on the CPU: what the reference values are compared with."""

FAST = Precision(
    name="fast", autocast="bfloat16", tf32=True, channels_last=True, compiled=True, graphs=True, on_device=True
)
"""For GPUs. Its deviation from :data:`PARITY` is measured by benchmarks/detector.py, never assumed."""

NAMES = {one.name: one for one in (PARITY, FAST)}


def shorten(backbones: nn.Module, dtype: torch.dtype) -> None:
    """Keep the factors of products in the type that autocast would convert them to anyway, at every image anew."""
    for one in backbones.modules():
        if isinstance(one, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            one.to(dtype)
