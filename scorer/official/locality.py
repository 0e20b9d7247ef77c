"""Edit locality as the official evaluation measures it: how far two images differ outside two boxes; and its gate.

``locality`` and ``view_similarity`` are the whole procedures; every step is a function of its own, so that another
profile can replace one. A share of the work that the original alone decides can be made once: ``share_of``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from scorer import geometry
from scorer.geometry import FloatArray
from scorer.measures import ssim
from scorer.measures.lpips import SMALLEST_SIDE
from scorer.measures.port import Perceptual
from scorer.official.imaging import Image, UnmeasurableError

LEAST_SIMILARITY = 0.6
LARGEST_DISTANCE = 0.3

Mask = npt.NDArray[np.bool_]
Kind = Literal["real", "synthetic"]


class Boxes(NamedTuple):
    """What a detector found in one image, in its order: ``solids`` (n, 7) and ``rectangles`` (n, 4) in the frame."""

    solids: FloatArray
    rectangles: FloatArray

    @classmethod
    def of(cls, solids: Sequence[npt.ArrayLike], rectangles: Sequence[npt.ArrayLike]) -> Boxes:
        """From two lists of equal length, both possibly empty."""
        return cls(
            np.asarray(solids, dtype=np.float64).reshape(len(solids), 7),
            np.asarray(rectangles, dtype=np.float64).reshape(len(solids), 4),
        )


class Locality(NamedTuple):
    """Over the ``kept`` pixels: SSIM (-1..1, or NaN), LPIPS (>= 0), mean squared error in 0..255 squared (or NaN).

    SSIM is NaN where no pixel is kept, or where the edited image is constant and the original has a constant window.
    """

    ssim: float
    lpips: float
    mse: float
    kept: int


@dataclass(frozen=True, eq=False)
class Share:
    """What the original alone decides: the processed image (3, h, w), its SSIM moments and its LPIPS features."""

    image: Tensor
    moments: ssim.Moments
    features: list[Tensor]


def excluded(
    origin: Boxes, result: Boxes, *, box: npt.ArrayLike, rotation: npt.ArrayLike, intrinsics: npt.ArrayLike
) -> list[FloatArray]:
    """The rectangles that are left out: of the target before, and of what is new after, where they are found.

    Before: the first origin detection that is the true original ``box``. After: the *last* result detection that is
    neither that box in space nor its projection in the image.
    """
    found = [
        rectangle
        for solid, rectangle in zip(origin.solids, origin.rectangles, strict=True)
        if geometry.is_same(solid, box)
    ][:1]
    projection = geometry.projected_box(box, intrinsics=intrinsics, rotation=rotation)
    new = [
        rectangle
        for solid, rectangle in zip(result.solids, result.rectangles, strict=True)
        if not geometry.is_same(solid, box)
        and not geometry.is_same(rectangle, projection, threshold=geometry.SAME_RECTANGLE_THRESHOLD)
    ][-1:]
    return found + new


def kept_mask(rectangles: Sequence[FloatArray], *, height: int, width: int) -> Mask:
    """True (height, width) outside the rectangles, whose corners are truncated to whole pixels, the high ones outside.

    A negative high corner counts from the far edge, as an index of Python does: the official program so excludes
    nearly all for a box beyond the left or upper edge. A corner that is not a number counts as the image's edge; for
    one infinitely far on the wrong side UnmeasurableError is raised.
    """
    kept = np.ones((height, width), dtype=np.bool_)
    for x1, y1, x2, y2 in rectangles:
        low, high = (max(0.0, x1), max(0.0, y1)), (min(float(width), x2), min(float(height), y2))
        if not all(math.isfinite(value) for value in low + high):
            raise UnmeasurableError("a detection's rectangle lies infinitely far away")
        kept[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])] = False
    return kept


def data_range_of(image: Tensor) -> float:
    """The largest value of an image less the smallest, over all channels, rounded as float32."""
    low, high = torch.aminmax(image)
    return float(high - low)


def for_lpips(images: Tensor, *, dark_rule: bool = True) -> Tensor:
    """Values of 0..255 brought to [-1, 1], shaped as they are.

    ``dark_rule``: an image (of a batch) whose own maximum is at most 1 is taken to be in 0..1 already; it is the
    official rule, which misreads very dark images.
    """
    if not dark_rule:
        return images / 127.5 - 1
    bright = images.amax(dim=(-3, -2, -1), keepdim=True) > 1
    return images.div(torch.where(bright, 255.0, 1.0)).mul_(2).sub_(1)


def device_of(network: Perceptual) -> torch.device:
    """Where a network computes: on the CPU where it has no weights."""
    buffers = network.buffers() if isinstance(network, torch.nn.Module) else iter(())
    return next((buffer.device for buffer in buffers), torch.device("cpu"))


def share_of(image: Tensor, *, network: Perceptual, dark_rule: bool = True) -> Share:
    """The original's share, from its processed image (3, height, width), where the network computes.

    Raises UnmeasurableError if it is too small.
    """
    if min(image.shape[1:]) < ssim.WINDOW:
        raise UnmeasurableError(f"SSIM needs {ssim.WINDOW} pixels a side: {tuple(image.shape[1:])}")
    if min(image.shape[1:]) < SMALLEST_SIDE:
        raise UnmeasurableError(f"LPIPS needs {SMALLEST_SIDE} pixels a side: {tuple(image.shape[1:])}")
    image = image.to(device_of(network))
    return Share(image, ssim.moments(image), network.features(for_lpips(image[None].float(), dark_rule=dark_rule)))


def locality(
    original: Share,
    edited: Tensor,
    *,
    kept: Mask,
    network: Perceptual,
    data_range: float | None = None,
    dark_rule: bool = True,
) -> Locality:
    """Compare an edited image, processed as the original was, over the kept pixels, where the original's share lies.

    ``data_range`` of the SSIM; None: that of the edited image, as in the official evaluation. ``dark_rule``: as in the
    share of the original.
    """
    if original.image.shape != edited.shape or kept.shape != edited.shape[1:]:
        raise ValueError(f"sizes differ: {tuple(original.image.shape)}, {tuple(edited.shape)}, mask {kept.shape}")
    edited = edited.to(original.image.device)
    spread = data_range_of(edited) if data_range is None else data_range
    mask = torch.from_numpy(kept).to(edited.device)
    distance = network.mean_distance(
        original.features, network.features(for_lpips(edited[None].float(), dark_rule=dark_rule)), kept=mask
    )
    similarity = ssim.mean_similarity(original.image, edited, moments=original.moments, kept=mask, data_range=spread)
    return Locality(similarity, float(distance), mean_squared_error(original.image, edited, kept=mask), int(kept.sum()))


def mean_squared_error(x: Tensor, y: Tensor, *, kept: Tensor) -> float:
    """Over the kept pixels and all channels of two images (channels, height, width); NaN where none is kept."""
    count = int(kept.sum()) * x.shape[0]
    squares = (x - y).square_().sum(dim=0).mul_(kept)
    return float(squares.sum(dtype=torch.float64)) / count if count else math.nan


def passes_gate(*, ssim: float, lpips: float, kind: Kind) -> bool:
    """Whether enough was left alone: real images need SSIM > 0.6 *or* LPIPS < 0.3, synthetic ones both. NaN fails."""
    similar, near = ssim > LEAST_SIMILARITY, lpips < LARGEST_DISTANCE
    return similar or near if kind == "real" else similar and near


def view_share(truth: Image, *, network: Perceptual) -> Share:
    """The share of a true edit of the view, (height, width, 3) RGB: neither processed nor reordered; SSIM in float64.

    Raises UnmeasurableError if it is too small.
    """
    return share_of(_planes(truth), network=network)


def view_similarity(truth: Share, edited: Image, *, network: Perceptual) -> float:
    """(SSIM + 1 - LPIPS) / 2 of an edited view, (height, width, 3) RGB, and the true one, over the whole image.

    The data range is the true image's; a constant one can give NaN. Raises UnmeasurableError for another size.
    """
    planes = _planes(edited)
    if planes.shape != truth.image.shape:
        raise UnmeasurableError(f"the edited view is {edited.shape[:2]}, the true one {tuple(truth.image.shape[1:])}")
    kept = np.ones(edited.shape[:2], dtype=np.bool_)
    found = locality(truth, planes, kept=kept, network=network, data_range=data_range_of(truth.image))
    return 0.5 * found.ssim + 0.5 * (1 - found.lpips)


def _planes(image: Image) -> Tensor:
    return torch.tensor(image).permute(2, 0, 1).to(torch.float64).contiguous()
