"""The decoder: box prompts and an encoded image to three candidate boxes each, of which the best is kept."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as f
from torch import Tensor, nn

from scorer.detectors.detany3d.camera_depth import CAMERA_LEVELS, GLOBAL_LEVELS, Camera
from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.layers import as_map, as_tokens
from scorer.detectors.detany3d.two_way import Both, Control, Main

_MASKS = 4
_IOU_TOKEN = 1
"""The token of the predicted box overlap; token 0 is that of the masks' overlap, which serves nothing here."""
_LONGEST_LOG_DEPTH = math.log(100)


class Raw(NamedTuple):
    """The chosen candidate of n boxes, as the heads say it.

    ``centre``: (n, 2) projected 3D centre over the frame; ``box``: (n, 4) [cx, cy, w, h] over the frame; ``depth``:
    (n, 1) its logarithm, at most log 100; ``dims``: (n, 3) logarithms of w, h, l; ``angle``: (n, 24) 12 class
    logits, 12 residuals; ``pose``: (n, 6); ``ious``: (n, 3) of ALL candidates.
    """

    centre: Tensor
    box: Tensor
    depth: Tensor
    dims: Tensor
    angle: Tensor
    pose: Tensor
    ious: Tensor


class Attended(NamedTuple):
    """``tokens``: (n, 14, 256) after the main transformer; ``control``: the same of the control transformer, unused."""

    tokens: Tensor
    control: Tensor


class MaskDecoder(nn.Module):
    """SAM's mask decoder without masks, with tokens and heads for boxes in space."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width, count, hidden = config.prompt_width, config.candidates, config.hidden
        self.grid = config.grid
        self.candidates = count
        self.iou_token = nn.Embedding(1, width)
        self.box_iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(_MASKS, width)
        self.box_token = nn.Embedding(count, width)
        self.box_token_3d = nn.Embedding(count, width)
        self.transformer = Main(config)
        self.transformer2 = Control(config)
        self.zero_conv2d_cam = nn.Conv2d(len(CAMERA_LEVELS) * hidden, width, 1)
        self.zero_conv2d_metric = nn.Conv2d(len(GLOBAL_LEVELS) * hidden, width, 1)
        self.zero_conv2d = nn.Conv2d(hidden, width, 1)
        self.out_zero_conv2d = nn.Conv2d(width, width, 1)
        self.bbox_heads = _heads(width, 6, count)
        self.bbox_3d_depth_heads = _heads(width, 2, count)
        self.bbox_3d_dims_heads = _heads(width, 3, count)
        self.bbox_3d_alpha_cls_heads = _heads(width, 2 * config.angle_bins, count)
        self.bbox_3d_rotation_matrix_heads = _heads(width, 6, count)
        self.bbox_iou_prediction_head = Head(width, count)

    def control_of(self, camera: Camera) -> Tensor:
        """(n, 256, grid, grid): what steers the decoder, one sum of three 1x1 convolutions for each image."""
        n, (rows, columns) = len(camera.depth), camera.size
        spread = (n, -1, rows, columns)
        of_camera = camera.camera.flatten(1)[:, :, None, None].expand(spread)
        of_scale = camera.metric.flatten(1)[:, :, None, None].expand(spread)
        # Zeros stand outside the image BEFORE the convolutions, so outside it their biases remain.
        total: Tensor = self.zero_conv2d_cam(self._padded(of_camera)) + self.zero_conv2d_metric(self._padded(of_scale))
        return torch.add(total, self.zero_conv2d(self._padded(as_map(camera.depth, rows, columns))))

    def attended(
        self, embeddings: Tensor, control: Tensor, sparse: Tensor, dense: Tensor, positions: Tensor
    ) -> Attended:
        """One image's embeddings, control and dense positions (1, 256, grid, grid) each; n boxes' sparse (n, 2, 256)
        and dense (n, 256, grid, grid) prompts."""
        n = len(sparse)
        tokens = torch.cat([self._tokens().expand(n, -1, -1), sparse], dim=1)
        where = Both(tokens, as_tokens(positions).expand(n, -1, -1))
        image = as_tokens(embeddings + dense)
        steered = self.transformer2(Both(tokens, image + as_tokens(control)), where)
        carried = as_tokens(self.out_zero_conv2d(as_map(steered.image, self.grid, self.grid)))
        return Attended(self.transformer(Both(tokens, image), where, carried), steered.tokens)

    def raw(self, tokens: Tensor) -> Raw:
        """Heads on the attended tokens (n, 14, 256). The highest predicted overlap chooses the candidate for ALL
        outputs."""
        first = 2 + _MASKS
        flat, solid = tokens[:, first : first + self.candidates], tokens[:, first + self.candidates : -2]
        ious = self.bbox_iou_prediction_head(tokens[:, _IOU_TOKEN]).sigmoid()
        best = ious.argmax(dim=1)
        box = _chosen(self.bbox_heads, flat, best).sigmoid()
        # of the depth heads' two numbers the second, a log variance, is not used
        depth = _chosen(self.bbox_3d_depth_heads, solid, best)[:, :1].clamp(max=_LONGEST_LOG_DEPTH)
        dims = _chosen(self.bbox_3d_dims_heads, solid, best)
        angle = _chosen(self.bbox_3d_alpha_cls_heads, solid, best)
        pose = _chosen(self.bbox_3d_rotation_matrix_heads, solid, best)
        return Raw(box[:, :2], box[:, 2:], depth, dims, angle, pose, ious)

    def _tokens(self) -> Tensor:
        kinds = (self.iou_token, self.box_iou_token, self.mask_tokens, self.box_token, self.box_token_3d)
        return torch.cat([kind.weight for kind in kinds])[None]

    def _padded(self, x: Tensor) -> Tensor:
        return f.pad(x, (0, self.grid - x.shape[3], 0, self.grid - x.shape[2]))


class Head(nn.Module):
    """Three linear layers with rectifiers between."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, out)])

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) -> (…, out)."""
        for layer in self.layers[:-1]:
            x = f.relu(layer(x))
        found: Tensor = self.layers[-1](x)
        return found


def _heads(width: int, out: int, count: int) -> nn.ModuleList:
    return nn.ModuleList(Head(width, out) for _ in range(count))


def _chosen(heads: nn.ModuleList, tokens: Tensor, best: Tensor) -> Tensor:
    """Each candidate's head on its own token (n, candidates, width); the chosen one's answer (n, out)."""
    answers = torch.stack([head(tokens[:, index]) for index, head in enumerate(heads)], dim=1)
    return answers[torch.arange(len(best), device=best.device), best]
