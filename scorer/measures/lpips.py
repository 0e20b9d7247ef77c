"""LPIPS: the perceptual distance of the official protocol, AlexNet, version 0.1, as a map.

Zhang, Isola, Efros, Shechtman, Wang: The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018.
Five activations of AlexNet (Krizhevsky 2014, the one-tower form), each scaled to unit length over its channels; squared
differences weighted per channel by a learned non-negative vector, enlarged to the image's size and summed:

    D(p) = sum over k of up(sum over c of w_kc (a_kc - b_kc)^2)(p),   a_k = f_k(x) / (|f_k(x)| + 1e-10)

The convolutional part of AlexNet is all there is of it: 2.5 million of its 61 million parameters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as f
from torch import Tensor

from scorer.errors import ScorerError
from scorer.measures import tensors
from scorer.measures.upsampling import adjoint

NAME = "lpips-alex-0.1"


class _Stage(NamedTuple):
    """One convolution of AlexNet with its rectifier; ``pooled``: a 3x3 maximum at stride 2 comes first."""

    layer: int
    shape: tuple[int, int, int, int]
    stride: int
    padding: int
    pooled: bool


_STAGES = (
    _Stage(0, (64, 3, 11, 11), stride=4, padding=2, pooled=False),
    _Stage(3, (192, 64, 5, 5), stride=1, padding=2, pooled=True),
    _Stage(6, (384, 192, 3, 3), stride=1, padding=1, pooled=True),
    _Stage(8, (256, 384, 3, 3), stride=1, padding=1, pooled=False),
    _Stage(10, (256, 256, 3, 3), stride=1, padding=1, pooled=False),
)
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10
_PIECE = 1 << 16

SMALLEST_SIDE = 31
"""Smaller images leave nothing for AlexNet's second pooling."""


def shapes() -> dict[str, tuple[int, ...]]:
    """The arrays of a weights file: key -> shape."""
    found: dict[str, tuple[int, ...]] = {}
    for k, stage in enumerate(_STAGES):
        found[f"features.{stage.layer}.weight"] = stage.shape
        found[f"features.{stage.layer}.bias"] = stage.shape[:1]
        found[f"lpips.lin{k}.model.1.weight"] = (1, stage.shape[0], 1, 1)
    return found


class Lpips(torch.nn.Module):
    """The network, frozen. ``sha256`` is the hash of the file that its weights came from.

    Images are (n, 3, height, width) float32 in [-1, 1], sides of at least 31 pixels; the channels are taken as they
    come, so the order is the caller's affair.
    """

    def __init__(self, weights: dict[str, Tensor], *, sha256: str) -> None:
        super().__init__()
        _require_shapes(weights)
        self.sha256 = sha256
        for k, stage in enumerate(_STAGES):
            kernel = weights[f"features.{stage.layer}.weight"].float()
            self.register_buffer(f"kernel{k}", kernel.contiguous(memory_format=torch.channels_last))
            self.register_buffer(f"bias{k}", weights[f"features.{stage.layer}.bias"].float())
            self.register_buffer(f"linear{k}", weights[f"lpips.lin{k}.model.1.weight"].float().flatten())
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1))
        self.eval()

    @classmethod
    def load(cls, path: Path, *, sha256: str | None = None) -> Lpips:
        """Read the weights from ``.npz`` or ``.safetensors``; ``sha256``: what the file must hash to.

        Raises ScorerError for a file that is missing, has another hash, cannot be read, or holds other arrays.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ScorerError(f"the LPIPS weights {path} cannot be read: {error.strerror}") from error
        found = hashlib.sha256(content).hexdigest()
        if sha256 is not None and found != sha256:
            raise ScorerError(f"the LPIPS weights {path.name} are not the ones asked for: sha256 {found}, not {sha256}")
        return cls(tensors.parse(content, name=path.name), sha256=found)

    @torch.inference_mode()
    def features(self, images: Tensor) -> list[Tensor]:
        """Five unit-length activations (n, channels, rows, columns), finest first.

        Raises ValueError for another shape or a side under 31 pixels.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images must be (n, 3, height, width), not {tuple(images.shape)}")
        if min(images.shape[2:]) < SMALLEST_SIDE:
            raise ValueError(f"images must have at least {SMALLEST_SIDE} pixels a side: {tuple(images.shape[2:])}")
        x = images.contiguous(memory_format=torch.channels_last)
        x = x.sub(self.get_buffer("shift")).div_(self.get_buffer("scale"))
        found: list[Tensor] = []
        for k, stage in enumerate(_STAGES):
            before = f.max_pool2d(x, 3, 2) if stage.pooled else x
            kernel, bias = self.get_buffer(f"kernel{k}"), self.get_buffer(f"bias{k}")
            x = f.conv2d(before, kernel, bias, stride=stage.stride, padding=stage.padding).relu_()
            x = x.contiguous(memory_format=torch.channels_last)  # as it is already, wherever convolutions keep it
            if found:
                _scale_to_unit_length(found[-1])  # only now, for it was the input of this stage
            found.append(x)
        _scale_to_unit_length(found[-1])
        return found

    @torch.inference_mode()
    def differences(self, one: Sequence[Tensor], other: Sequence[Tensor]) -> list[Tensor]:
        """Per stage the weighted squared difference (n, rows, columns) of two lists of features, not negative.

        One list may hold a single image and be compared with every image of the other; features lie channels last.
        """
        found = []
        for k, pair in enumerate(zip(one, other, strict=True)):
            count = max(len(features) for features in pair)
            a, b = (features.permute(0, 2, 3, 1).expand(count, -1, -1, -1) for features in pair)
            weights = self.get_buffer(f"linear{k}")
            pieces = zip(_pieces(a), _pieces(b), strict=True)
            found.append(torch.cat([(x - y).square_() @ weights for x, y in pieces]).view(a.shape[:3]))
        return found

    @torch.inference_mode()
    def compare(self, one: Sequence[Tensor], other: Sequence[Tensor], *, size: tuple[int, int]) -> Tensor:
        """The map (n, 1, height, width), not negative, from two lists of features; ``size``: (height, width)."""
        enlarged = [
            f.interpolate(found[:, None], size=size, mode="bilinear", align_corners=False)
            for found in self.differences(one, other)
        ]
        return torch.stack(enlarged).sum(dim=0)

    @torch.inference_mode()
    def mean_distance(self, one: Sequence[Tensor], other: Sequence[Tensor], *, kept: Tensor) -> Tensor:
        """The mean (n,) of ``compare``'s map over the kept pixels, without making the map; 0 where none is kept.

        ``kept``: (height, width) bool or weights. Enlarging is linear, so the weighted sum over pixels is a weighted
        sum over the cells of each stage, with the mask passed through the transpose of enlarging.
        """
        weights = kept.to(torch.float32)
        total = torch.zeros(max(one[0].shape[0], other[0].shape[0]), dtype=torch.float64, device=weights.device)
        differences = self.differences(one, other)
        cells = adjoint(weights, sizes=[(found.shape[1], found.shape[2]) for found in differences])
        for found in differences:
            total += (found * cells[found.shape[1], found.shape[2]]).sum(dim=(1, 2), dtype=torch.float64)
        return total / weights.sum(dtype=torch.float64).clamp(min=1e-6)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """The map (n, 1, height, width) of two batches of images of one size."""
        if x.shape[2:] != y.shape[2:]:
            raise ValueError(f"images of one size are needed: {tuple(x.shape)}, {tuple(y.shape)}")
        return self.compare(self.features(x), self.features(y), size=(x.shape[2], x.shape[3]))


def _pieces(x: Tensor) -> Iterator[Tensor]:
    """The pixels of a batch (n, rows, columns, channels), in pieces (pixels, channels) that stay in the cache."""
    pixels, step = x.flatten(0, 2), max(1, _PIECE // x.shape[3])
    for begin in range(0, len(pixels), step):
        yield pixels[begin : begin + step]


def _scale_to_unit_length(x: Tensor) -> None:
    """Divide each pixel's channels by their length, in place. ``x``: (n, channels, rows, columns), channels last."""
    for piece in _pieces(x.permute(0, 2, 3, 1)):
        piece.div_(torch.linalg.vector_norm(piece, dim=1, keepdim=True).add_(_EPSILON))


def _require_shapes(weights: dict[str, Tensor]) -> None:
    wanted = shapes()
    missing, surplus = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    if missing or surplus:
        raise ScorerError(f"not the weights of LPIPS (AlexNet): missing {missing[:3]}, not known {surplus[:3]}")
    for key, shape in wanted.items():
        if tuple(weights[key].shape) != shape or not weights[key].is_floating_point():
            raise ScorerError(f"LPIPS weights: {key} must be floats shaped {shape}, not {tuple(weights[key].shape)}")
        if not bool(torch.isfinite(weights[key]).all()):
            raise ScorerError(f"LPIPS weights: {key} holds values that are not finite")
