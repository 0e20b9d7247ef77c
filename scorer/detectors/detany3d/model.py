"""DetAny3D: encode an image once, decode boxes as often as asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from scorer.detectors.detany3d.camera_depth import Camera
from scorer.detectors.detany3d.config import Config
from scorer.detectors.detany3d.decode import Solid, solid_of
from scorer.detectors.detany3d.decoder import MaskDecoder
from scorer.detectors.detany3d.image_encoder import Features, ImageEncoder
from scorer.detectors.detany3d.precision import PARITY, Precision, shorten
from scorer.detectors.detany3d.preprocess import Frame, Inputs, box_prompts, inputs_of
from scorer.detectors.detany3d.prompt import PromptEncoder

Image = npt.NDArray[np.uint8]

BOXES_AT_ONCE = 32
"""Boxes decoded together: each takes about 20 MB. More come in turns."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """One image, encoded. Lies on the network's device.

    ``embeddings`` and ``control``: (1, 256, grid, grid). ``intrinsics``: predicted, (3, 3), in pixels of the crop.
    """

    frame: Frame
    embeddings: Tensor
    control: Tensor
    intrinsics: Tensor


@dataclass(frozen=True, eq=False)
class Boxes:
    """n boxes in the order of their prompts, float32 arrays; see :class:`Solid` for what each means.

    ``intrinsics``: predicted, (3, 3), in pixels of the crop.
    """

    bbox_3d: npt.NDArray[np.float32]
    bbox_2d: npt.NDArray[np.float32]
    rotation: npt.NDArray[np.float32]
    iou: npt.NDArray[np.float32]
    intrinsics: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.bbox_3d)


class DetAny3D(nn.Module):
    """The network. Its state dict's keys are the published ones on the way to boxes, ``sam.…``, and no others."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.precision = PARITY
        self.sam = _Sam(config)
        self.requires_grad_(False)
        self.eval()

    @classmethod
    def filled(cls, config: Config, tensor_of: Callable[[str, tuple[int, ...]], Tensor]) -> DetAny3D:
        """Build a network array by array, so that its weights are never held twice.

        ``tensor_of`` gives the array of a key and shape. Raises ValueError where it gives another shape.
        """
        with torch.device("meta"):
            network = cls(config)
        for key, empty in network.state_dict().items():
            network.put(key, tensor_of(key, tuple(empty.shape)))
        return network

    def put(self, key: str, value: Tensor) -> None:
        """Make ``value`` itself, not a copy, the array of that key. Raises ValueError for another shape."""
        path, _, name = key.rpartition(".")
        parent = self.get_submodule(path)
        old = getattr(parent, name)
        if old.shape != value.shape:
            raise ValueError(f"{key} must be shaped {tuple(old.shape)}, not {tuple(value.shape)}")
        new = nn.Parameter(value, requires_grad=False) if isinstance(old, nn.Parameter) else value
        setattr(parent, name, new)

    def use(self, precision: Precision) -> Self:
        """Compute in that precision from now on, as far as the device has it. Call it when the weights lie there.

        Raises ValueError where weights were shortened for another precision before: what is gone does not come back.
        """
        if self.precision.dtype is not None and precision != self.precision:
            raise ValueError(f"the weights were shortened for {self.precision.name}: load them again")
        self.precision = precision.on(self.device)
        backbones = self.sam.image_encoder
        if self.precision.dtype is not None:
            for part in backbones.backbones():
                shorten(part, self.precision.dtype)
        if self.precision.channels_last:
            backbones.spm.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.precision.compiled:
            backbones.compile(dynamic=False, mode="reduce-overhead" if self.precision.graphs else "default")
        return self

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.sam.prompt_encoder.no_mask_embed.weight.device

    def encode(self, image: Image) -> Encoding:
        """Encode an RGB image (height, width, 3) uint8. Raises ImageShapeError for one that is too elongated."""
        return self.encode_batch([image])[0]

    @torch.inference_mode()
    def encode_batch(self, images: Sequence[Image]) -> list[Encoding]:
        """Encode images of ONE shape together. Raises ValueError for several shapes."""
        if len({image.shape for image in images}) > 1:
            raise ValueError("only images of one shape can be encoded together")
        stacked = torch.from_numpy(np.stack(images))
        with self.precision.active():
            inputs = inputs_of(stacked.to(self.device) if self.precision.on_device else stacked, self.config)
            features = self.features(inputs)
            return self.encodings(inputs.frame, features, self.camera(inputs.frame, features))

    def features(self, inputs: Inputs) -> Features:
        """The backbones, nearly all of the work."""
        sam, dino = inputs.sam.to(self.device), inputs.dino.to(self.device)
        if self.precision.graphs:
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        with self.precision.multiplying(self.device):
            found: Features = self.sam.image_encoder(sam, dino)
        exact = self.precision.dtype is None and not self.precision.graphs
        return found if exact else found.as_float()

    def camera(self, frame: Frame, features: Features) -> Camera:
        """The camera and depth head."""
        found: Camera = self.sam.image_encoder.depth_head(
            features.dino, features.maps, features.classes, crop=frame.crop, size=frame.grid
        )
        return found

    def encodings(self, frame: Frame, features: Features, camera: Camera) -> list[Encoding]:
        """One for each image."""
        control = self.sam.mask_decoder.control_of(camera)
        parts = zip(torch.split(features.embeddings, 1), torch.split(control, 1), camera.matrix, strict=True)
        return [Encoding(frame, *one) for one in parts]

    @torch.inference_mode()
    def decode(self, encoding: Encoding, boxes: npt.ArrayLike, intrinsics: npt.ArrayLike | None = None) -> Boxes:
        """Boxes in space for ``boxes`` (n, 4) [cx, cy, w, h] relative to the image, n may be 0.

        ``intrinsics``: true ones (3, 3); None: the predicted ones.
        """
        relative = torch.from_numpy(np.asarray(boxes, dtype=np.float32).reshape(-1, 4))
        prompts = box_prompts(relative, encoding.frame)
        given = None if intrinsics is None else torch.from_numpy(np.asarray(intrinsics, dtype=np.float32))
        with self.precision.active():
            turns = [self.solid(encoding, some, given) for some in torch.split(prompts, BOXES_AT_ONCE)]
        solid = Solid(*(torch.cat(one).cpu() for one in zip(*turns, strict=True)))
        return Boxes(
            bbox_3d=solid.bbox_3d.numpy(),
            bbox_2d=solid.bbox_2d.numpy(),
            rotation=solid.rotation.numpy(),
            iou=solid.iou.numpy(),
            intrinsics=encoding.intrinsics.cpu().numpy(),
        )

    def solid(self, encoding: Encoding, prompts: Tensor, given: Tensor | None) -> Solid:
        """Whole-pixel prompts (n, 4) to boxes."""
        prompt, decoder = self.sam.prompt_encoder, self.sam.mask_decoder
        sparse, dense = prompt.sparse(prompts.to(self.device)), prompt.dense(len(prompts))
        attended = decoder.attended(encoding.embeddings, encoding.control, sparse, dense, prompt.dense_positions())
        raw = decoder.raw(attended.tokens)
        return solid_of(raw, predicted=encoding.intrinsics, given=given, frame=self.config.frame)


class _Sam(nn.Module):
    """The published keys' first word."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.image_encoder = ImageEncoder(config)
        self.prompt_encoder = PromptEncoder(config)
        self.mask_decoder = MaskDecoder(config)
