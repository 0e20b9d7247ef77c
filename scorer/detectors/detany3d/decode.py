"""From the heads' numbers to boxes in space. Float32 throughout."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as f
from torch import Tensor

from scorer.detectors.detany3d.decoder import Raw


class Solid(NamedTuple):
    """n boxes. ``bbox_3d``: (n, 7) [x, y, z, w, h, l, yaw], camera frame. ``bbox_2d``: (n, 4) [x1, y1, x2, y2]: the
    network's own box in pixels of the crop, neither the prompt nor original pixels. ``rotation``: (n, 3, 3).
    ``iou``: (n,) in [0, 1]; nothing is filtered by it."""

    bbox_3d: Tensor
    bbox_2d: Tensor
    rotation: Tensor
    iou: Tensor


def solid_of(raw: Raw, *, predicted: Tensor, given: Tensor | None, frame: int) -> Solid:
    """``predicted``: the network's intrinsics (3, 3), in pixels of the crop. ``given``: true intrinsics (3, 3), or
    None.

    With given intrinsics depth is carried from the predicted camera to the given one; they are NOT rescaled to the crop
    although the centre lies in it.
    """
    box = raw.box * frame
    depth = raw.depth[:, 0].exp()
    matrix = predicted
    if given is not None:
        matrix = given.to(predicted)
        # From the network's virtual camera to the real one: both real focal lengths, but only the predicted fx.
        depth = depth * (matrix[0, 0] * matrix[1, 1]).sqrt() / predicted[0, 0]
    centre = raw.centre * frame
    points = torch.stack([centre[:, 0] * depth, centre[:, 1] * depth, depth])
    where = (torch.linalg.inv(matrix) @ points).T
    bbox_3d = torch.cat([where, raw.dims.exp(), yaw_of(raw.angle, box[:, 0], predicted)[:, None]], dim=1)
    corners = torch.cat([box[:, :2] - box[:, 2:] / 2, box[:, :2] + box[:, 2:] / 2], dim=1)
    return Solid(bbox_3d, corners, rotation_of(raw.pose), raw.ious.amax(dim=1))


def yaw_of(angle: Tensor, column: Tensor, predicted: Tensor) -> Tensor:
    """(n,) in [-pi, pi). ``angle``: (n, 24); ``column``: (n,) centre of the 2D BOX, not of the projected 3D box.

    Always with the PREDICTED intrinsics, even where true ones were given.
    """
    bins = angle.shape[1] // 2
    best = angle[:, :bins].argmax(dim=1)
    residual = angle[:, bins:].gather(1, best[:, None])[:, 0]
    alpha = best * (2 * math.pi / bins) + residual
    alpha = torch.where(alpha > math.pi, alpha - 2 * math.pi, alpha)
    yaw = torch.atan2(column - predicted[0, 2], predicted[0, 0]) + alpha
    return (yaw + math.pi) % (2 * math.pi) - math.pi


def rotation_of(pose: Tensor) -> Tensor:
    """(n, 6) -> (n, 3, 3) by Gram-Schmidt; the basis vectors are the ROWS. In the camera's frame, independent of
    yaw."""
    first = f.normalize(pose[:, :3], dim=1)
    rest = pose[:, 3:]
    second = f.normalize(rest - (first * rest).sum(dim=1, keepdim=True) * first, dim=1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=1)
