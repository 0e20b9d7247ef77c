"""The original's share of the work: done once per scene, however many samples and profiles share it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from scorer.comparing import Preparation
from scorer.contract import Sample
from scorer.detectors.port import EVERYTHING, Detection, Detector, Image
from scorer.geometry import FloatArray
from scorer.inputs import Source, Task
from scorer.measures.port import Perceptual
from scorer.official import locality as official
from scorer.official.imaging import Frame
from scorer.official.locality import Share
from scorer.operations.evidence import Origin
from scorer.operations.matching import find_origins, is_called

KEPT_IMAGES = 4
"""Samples of one scene follow each other in a manifest, so a few decoded originals are enough."""

Value = TypeVar("Value")


@dataclass
class Recent:
    """A memory of the values that were asked for last."""

    size: int
    _values: OrderedDict[object, object] = field(default_factory=OrderedDict)

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        """The value of that key, made where it is not remembered."""
        if key not in self._values:
            self._values[key] = make()
            if len(self._values) > self.size:
                self._values.popitem(last=False)
        return self._values[key]  # type: ignore[return-value]


@dataclass(frozen=True)
class Scenes:
    """Originals, what the detector sees in them, and their side of every comparison."""

    inputs: Source
    detector: Detector
    network: Perceptual
    _images: Recent = field(default_factory=lambda: Recent(KEPT_IMAGES))
    _shares: Recent = field(default_factory=lambda: Recent(KEPT_IMAGES))
    _detections: dict[tuple[str, str], list[Detection]] = field(default_factory=dict)

    def original(self, sample: Sample) -> Image:
        """The original image of a sample, (height, width, 3) uint8."""
        return self._images.get(sample.original, lambda: self.inputs.original(sample))

    def share(self, sample: Sample, preparation: Preparation) -> Share:
        """The original's side of a comparison. Raises UnmeasurableError."""
        key = (sample.original, preparation)
        return self._shares.get(key, lambda: preparation.share(self.original(sample), self.network))

    def true_share(self, task: Task, preparation: Preparation) -> Share:
        """The true edit's side of a comparison. Raises UnmeasurableError, BenchmarkError."""
        key = (task.truth.gt_image, preparation)
        return self._shares.get(key, lambda: preparation.share(self.inputs.ground_truth(task), self.network))

    def true_view(self, task: Task) -> Share:
        """The true edit's side of the official comparison of views. Raises UnmeasurableError, BenchmarkError."""
        key = (task.truth.gt_image, "view")
        return self._shares.get(key, lambda: official.view_share(self.inputs.ground_truth(task), network=self.network))

    def detections(self, task: Task) -> list[Detection]:
        """What the detector sees in the original: everything where it can, else what has the target's name."""
        target = EVERYTHING if self.detector.sees_everything else task.truth.target
        key = (task.sample.original, target)
        if key not in self._detections:
            self._detections[key] = self.detector.detect(
                image=self.original(task.sample), target=target, camera=task.camera
            )
        return self._detections[key]

    def named(self, task: Task, name: str) -> list[Detection]:
        """What the detector calls by that name in the original."""
        return [found for found in self.detections(task) if is_called(found, name)]

    def origins(self, task: Task) -> list[Origin]:
        """Every known object with its detection on the original, in the truth's order; then what else was seen."""
        sample = task.sample
        return find_origins(
            task.truth.objects,
            self.detections(task),
            intrinsics=self.to_pixels(task),
            image_size=np.array([sample.width, sample.height], dtype=np.float64),
        )

    def to_pixels(self, task: Task) -> FloatArray:
        """The matrix (3, 3) that projects to the image's own pixels."""
        frame, intrinsics = Frame.of(task.sample.height, task.sample.width), np.array(task.camera.intrinsics)
        return intrinsics if self.detector.frame == "image" else np.linalg.inv(frame.matrix) @ intrinsics

    def to_frame(self, task: Task) -> FloatArray:
        """The matrix (3, 3) that projects to the pixels of the image's frame."""
        frame, intrinsics = Frame.of(task.sample.height, task.sample.width), np.array(task.camera.intrinsics)
        return intrinsics if self.detector.frame == "processed" else frame.matrix @ intrinsics
