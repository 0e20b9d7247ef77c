"""From pixels and relative boxes to what the network reads. All arithmetic is float32."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as f
from torch import Tensor

from scorer.detectors.detany3d.config import Config

_SAM_MEAN, _SAM_SCALE = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
_DINO_MEAN, _DINO_SCALE = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ImageShapeError(ValueError):
    """The image is so elongated that nothing of it would be left on the network's grid."""


class Frame(NamedTuple):
    """One image shape on its way into the network, each (height, width) in pixels: as it came, resized, cropped.

    ``grid``: the part of the SAM grid that lies wholly on the image. ``dino_grid``: DINOv2's grid.
    """

    original: tuple[int, int]
    resized: tuple[int, int]
    crop: tuple[int, int]
    grid: tuple[int, int]
    dino_grid: tuple[int, int]


class Inputs(NamedTuple):
    """``sam``: (n, 3, 896, 896), zero-padded at the bottom and right. ``dino``: (n, 3, H, W), not padded."""

    sam: Tensor
    dino: Tensor
    frame: Frame


def frame_of(height: int, width: int, config: Config) -> Frame:
    """The long side becomes 896, each side is cut down to a multiple of 14. Raises ImageShapeError (896 x 15 and
    thinner)."""
    scale = config.frame / max(height, width)
    rows, columns = int(height * scale + 0.5), int(width * scale + 0.5)
    patch = config.dino_patch
    crop = rows // patch * patch, columns // patch * patch
    grid = crop[0] // config.sam_patch, crop[1] // config.sam_patch
    if min(grid) < 1:
        raise ImageShapeError(f"an image of {width} x {height} pixels is too elongated for the detector")
    return Frame((height, width), (rows, columns), crop, grid, (crop[0] // patch, crop[1] // patch))


def inputs_of(images: Tensor, config: Config) -> Inputs:
    """Images (n, height, width, 3) uint8 RGB, on the device where the work shall be done."""
    frame = frame_of(images.shape[1], images.shape[2], config)
    x = images.permute(0, 3, 1, 2).float()
    # Antialiased, on floats 0..255, not rounded back to whole numbers.
    x = f.interpolate(x, size=frame.resized, mode="bilinear", align_corners=False, antialias=True)
    (rows, columns), (height, width) = frame.resized, frame.crop
    top, left = rows // 2 - height // 2, columns // 2 - width // 2
    x = x[:, :, top : top + height, left : left + width]
    sam = (x - _channels(_SAM_MEAN, x)) / _channels(_SAM_SCALE, x)
    sam = f.pad(sam, (0, config.frame - width, 0, config.frame - height))  # bottom and right, after normalising
    return Inputs(sam, (x / 255 - _channels(_DINO_MEAN, x)) / _channels(_DINO_SCALE, x), frame)


def box_prompts(boxes: Tensor, frame: Frame) -> Tensor:
    """Boxes (n, 4) float32 [cx, cy, w, h] relative to the image -> (n, 4) whole pixels [x1, y1, x2, y2] of the
    resized image.

    Nothing is clipped. Truncated toward zero TWICE: in the original's pixels and after scaling. The crop's offset is
    NOT subtracted although the network sees the crop: boxes lie up to 6 pixels off where the short side was cropped.
    """
    (height, width), (rows, columns) = frame.original, frame.resized
    scaled = boxes.float().cpu() * torch.tensor([width, height, width, height], dtype=torch.float32)
    centre, half = scaled[:, :2], scaled[:, 2:] / 2
    corners = torch.cat([centre - half, centre + half], dim=1).trunc()
    ratio = torch.tensor([columns / width, rows / height] * 2, dtype=torch.float32)
    return (corners * ratio).trunc().to(torch.int64)


def _channels(values: tuple[float, float, float], like: Tensor) -> Tensor:
    return torch.tensor(values, device=like.device).view(1, 3, 1, 1)
