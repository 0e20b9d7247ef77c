"""The original's share of the work: done once per scene, however many samples share it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from scorer.contract import Sample
from scorer.detectors.port import EVERYTHING, Detection, Detector, Image
from scorer.inputs import Inputs, Task
from scorer.operations.evidence import Origin
from scorer.operations.matching import find_origins

KEPT_IMAGES = 4
"""Samples of one scene follow each other in a manifest, so a few decoded originals are enough."""


@dataclass(frozen=True)
class Scenes:
    """Originals and what the detector sees in them."""

    inputs: Inputs
    detector: Detector
    _images: OrderedDict[str, Image] = field(default_factory=OrderedDict)
    _detections: dict[str, list[Detection]] = field(default_factory=dict)

    def original(self, sample: Sample) -> Image:
        """The original image of a sample, (height, width, 3) uint8."""
        if sample.original not in self._images:
            self._images[sample.original] = self.inputs.original(sample)
            if len(self._images) > KEPT_IMAGES:
                self._images.popitem(last=False)
        return self._images[sample.original]

    def origins(self, task: Task) -> list[Origin]:
        """Every object of the sample's truth with its detection on the original, in the truth's order."""
        sample = task.sample
        if sample.original not in self._detections:
            self._detections[sample.original] = self.detector.detect(
                image=self.original(sample), target=EVERYTHING, camera=task.camera
            )
        return find_origins(
            task.truth.objects,
            self._detections[sample.original],
            intrinsics=np.array(task.camera.intrinsics),
            image_size=np.array([sample.width, sample.height], dtype=np.float64),
        )
