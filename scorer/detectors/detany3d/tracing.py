"""The network step by step, with every intermediate value kept: what reference values are compared with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from scorer.detectors.detany3d.camera_depth import Camera
from scorer.detectors.detany3d.decode import Solid, solid_of
from scorer.detectors.detany3d.decoder import Attended, Raw
from scorer.detectors.detany3d.image_encoder import Features
from scorer.detectors.detany3d.layers import unflattened
from scorer.detectors.detany3d.model import DetAny3D, Encoding
from scorer.detectors.detany3d.preprocess import Inputs, box_prompts, inputs_of

Array = npt.NDArray[Any]


class Seen(NamedTuple):
    """One image up to the decoder."""

    inputs: Inputs
    features: Features
    camera: Camera
    encoding: Encoding


class Answer(NamedTuple):
    """Boxes, with all that led to them. ``alone``: with the predicted intrinsics; ``solid``: with true ones, if any.
    ``frame``: the frame's side in pixels."""

    prompts: Tensor
    sparse: Tensor
    dense: Tensor
    positions: Tensor
    attended: Attended
    raw: Raw
    alone: Solid
    solid: Solid | None
    frame: int


@torch.inference_mode()
def see(network: DetAny3D, image: Array) -> Seen:
    """Backbones and camera on one image."""
    inputs = inputs_of(torch.from_numpy(image)[None], network.config)
    return look(network, inputs, network.features(inputs))


@torch.inference_mode()
def look(network: DetAny3D, inputs: Inputs, features: Features) -> Seen:
    """The camera alone, on features at hand."""
    camera = network.camera(inputs.frame, features)
    return Seen(inputs, features, camera, network.encodings(inputs.frame, features, camera)[0])


@torch.inference_mode()
def answer(network: DetAny3D, encoding: Encoding, boxes: Array, intrinsics: Array | None) -> Answer:
    """Boxes (n, 4) [cx, cy, w, h] relative to the image, all at once."""
    prompt, decoder = network.sam.prompt_encoder, network.sam.mask_decoder
    prompts = box_prompts(torch.from_numpy(boxes), encoding.frame)
    sparse, dense = prompt.sparse(prompts.to(network.device)), prompt.dense(len(prompts))
    positions = prompt.dense_positions()
    attended = decoder.attended(encoding.embeddings, encoding.control, sparse, dense, positions)
    raw = decoder.raw(attended.tokens)
    frame = network.config.frame
    alone = solid_of(raw, predicted=encoding.intrinsics, given=None, frame=frame)
    solid = None
    if intrinsics is not None:
        given = torch.from_numpy(np.asarray(intrinsics, dtype=np.float32))
        solid = solid_of(raw, predicted=encoding.intrinsics, given=given, frame=frame)
    return Answer(prompts, sparse, dense, positions, attended, raw, alone, solid, frame)


def values_of(seen: Seen, answered: Answer) -> dict[str, Tensor]:
    """Every value that a reference file can hold, whole, by its name there."""
    inputs = {"in__batch_boxes": answered.prompts, "in__vit_pad_size": torch.tensor([seen.inputs.frame.grid])}
    return inputs | _of_features(seen.features) | _of_camera(seen.camera) | _of_answer(answered)


def _of_features(features: Features) -> dict[str, Tensor]:
    found = {"image_embeddings": features.embeddings}
    for level, (whole, token) in enumerate(zip(*features.dino, strict=True)):
        found |= {f"dino__feat{level}": whole, f"dino__cls{level}": token}
    for stage, (whole, token) in enumerate(zip(features.maps, features.classes, strict=True)):
        found |= {f"inter{stage}__f3": whole, f"inter{stage}__cls": token}
    return found


def _of_camera(camera: Camera) -> dict[str, Tensor]:
    depth = unflattened(camera.depth, 1, camera.size)
    return {
        "pred_K": camera.matrix,
        "ret__pred_K": camera.matrix,
        "depth__camera_features": camera.camera,
        "depth__metric_features": camera.metric,
        "depth__depth_features": depth,
        "depth__latents_16": depth,
        "latents_16": depth,
        "depth__level_embed": camera.levels,
    }


def _of_answer(answered: Answer) -> dict[str, Tensor]:
    raw = answered.raw
    found = {
        "prompt__sparse": answered.sparse,
        "prompt__dense": answered.dense,
        "prompt__dense_pe": answered.positions,
        "decoder__hs": answered.attended.tokens,
        "decoder__control_q": answered.attended.control,
        "bboxes_2d": raw.box * answered.frame,  # there as centre and size, not yet as corners
        "bboxes_3d_predK": answered.alone.bbox_3d,
        "rot_mat": answered.alone.rotation,
        "ret__pred_center_2d": raw.centre,
        "ret__pred_bbox_2d": raw.box,
        "ret__pred_bbox_3d_depth": raw.depth,
        "ret__pred_bbox_3d_dims": raw.dims,
        "ret__pred_bbox_3d_alpha_cls": raw.angle,
        "ret__pred_pose_6d": raw.pose,
        "ret__pred_box_ious": raw.ious,
    }
    return found if answered.solid is None else found | {"bboxes_3d": answered.solid.bbox_3d}
