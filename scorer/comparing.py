"""How far an edited image is from another outside what was to change, under a profile.

The steps are those of the official evaluation (``scorer.official.imaging``, ``scorer.official.locality``); the
profile's deviations replace the preparation of the images, the mask and what is done where nothing can be said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from scorer.detectors.port import Detection, Image
from scorer.deviations import Deviation, Profile
from scorer.geometry import FloatArray
from scorer.measures.masks import outside
from scorer.measures.msssim import REACH
from scorer.measures.port import Perceptual
from scorer.official import locality as official
from scorer.official.imaging import Frame, Order, UnmeasurableError, processed, whole, whole_size
from scorer.official.locality import Boxes, Mask, Share
from scorer.rules import Case, Edit

LEAST_KEPT = 0.1
"""The part of the image that must remain outside the boxes for anything to be said about it."""
DATA_RANGE = 255.0


class Rest(NamedTuple):
    """Over the kept pixels. ``similarity``: SSIM; ``distance``: the perceptual one; ``kept``: their share."""

    similarity: float
    distance: float
    kept: float


NOTHING = Rest(similarity=0.0, distance=1.0, kept=0.0)
"""Where nothing can be said: it is no reason to believe that anything was left alone."""


@dataclass(frozen=True)
class Preparation:
    """How images are made ready. ``whole``: not windowed; ``plain``: channels in order, one range for all."""

    whole: bool
    plain: bool

    @classmethod
    def of(cls, profile: Profile) -> Preparation:
        """What the profile asks for."""
        return cls(whole=Deviation.WHOLE_SCENE in profile, plain=Deviation.COLOURS in profile)

    def image(self, image: Image) -> Tensor:
        """(3, height, width) float32, 0..255. Raises UnmeasurableError."""
        order: Order = "rgb" if self.plain else "bgr"
        return whole(image, order=order) if self.whole else processed(image, order=order)

    def share(self, image: Image, network: Perceptual) -> Share:
        """What an image's side of a comparison costs, made once. Raises UnmeasurableError for too small images."""
        try:
            return official.share_of(self.image(image), network=network, dark_rule=not self.plain)
        except ValueError as error:
            raise UnmeasurableError(str(error)) from error

    def rectangle(self, box: FloatArray, frame: Frame) -> FloatArray:
        """A rectangle of the image's pixels in those of the prepared image."""
        if not self.whole:
            return frame.to_frame(box)
        height, width = whole_size(*frame.original)
        scale = np.array([width / frame.original[1], height / frame.original[0]])
        return np.asarray((np.asarray(box).reshape(2, 2) * scale).reshape(4))


def kept_outside(case: Case, edit: Edit, *, profile: Profile, size: tuple[int, int]) -> Mask:
    """True where the prepared image, of that (height, width), was to stay as it is."""
    preparation = Preparation.of(profile)
    height, width = size
    if Deviation.TARGET_MASK in profile:
        boxes = [edit.change.origin.found.bbox_2d]
        boxes += [] if edit.change.result is None else [edit.change.result.bbox_2d]
        return outside(
            [preparation.rectangle(box, case.frame) for box in boxes], height=height, width=width, margin=REACH
        )
    rectangles = official.excluded(
        _boxes(case, case.before),
        _boxes(case, case.after),
        box=case.original.box,
        rotation=case.original.rotation,
        intrinsics=case.intrinsics,
    )
    if preparation.whole:
        rectangles = [preparation.rectangle(case.frame.to_original(one), case.frame) for one in rectangles]
    return official.kept_mask(rectangles, height=height, width=width)


def _boxes(case: Case, detections: Sequence[Detection]) -> Boxes:
    return Boxes.of([d.bbox_3d for d in detections], [case.frame.to_frame(d.bbox_2d) for d in detections])


def compare(original: Share, edited: Image, *, kept: Mask, profile: Profile, network: Perceptual) -> Rest:
    """Compare an edited image with the share of the original over the kept pixels of the prepared images.

    Raises UnmeasurableError where the official evaluation ends with an error and the profile does not forgive it.
    """
    preparation = Preparation.of(profile)
    part = float(kept.mean())
    if Deviation.FINITE in profile and part < LEAST_KEPT:
        return NOTHING._replace(kept=part)
    try:
        prepared = preparation.image(edited)
        if Deviation.TARGET_MASK in profile:
            # Nothing of what was left out may leak over the mask's edge: there both images show the original.
            device = original.image.device
            prepared = torch.where(torch.from_numpy(kept).to(device), prepared.to(device), original.image)
        found = official.locality(
            original,
            prepared,
            kept=kept,
            network=network,
            data_range=DATA_RANGE if preparation.plain else None,
            dark_rule=not preparation.plain,
        )
    except UnmeasurableError:
        if Deviation.NO_ABORT in profile:
            return NOTHING._replace(kept=part)
        raise
    if Deviation.FINITE not in profile:
        return Rest(found.ssim, found.lpips, part)
    if not (math.isfinite(found.ssim) and math.isfinite(found.lpips)):
        return NOTHING._replace(kept=part)
    return Rest(found.ssim, min(max(found.lpips, 0.0), 1.0), part)


def everything(size: tuple[int, int]) -> Mask:
    """The mask that leaves nothing out, (height, width)."""
    return np.ones(size, dtype=np.bool_)
