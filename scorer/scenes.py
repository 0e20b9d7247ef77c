"""The originals' side of a run: read, looked at and prepared once, however many samples and profiles need it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scorer.comparing import Preparation
from scorer.contract import Sample
from scorer.detectors.port import EVERYTHING, Detection, Detector, Image
from scorer.geometry import FloatArray
from scorer.inputs import Source, Task
from scorer.measures.port import Perceptual
from scorer.official.imaging import Frame
from scorer.official.locality import Share
from scorer.official.viewpoint import Sift
from scorer.operations.evidence import Origin
from scorer.operations.matching import find_origins, finite, is_called
from scorer.originals import Originals, Picture
from scorer.recent import Recent

IMAGE_BYTES = 256 << 20
"""Samples of one scene follow each other in a manifest, so a few decoded originals are enough."""
KEPT_DETECTIONS = 10_000
"""Scenes whose detections are remembered."""


def _images() -> Recent[Picture]:
    return Recent(IMAGE_BYTES, size=lambda picture: picture.read().nbytes)


def _detections() -> Recent[list[Detection]]:
    return Recent(KEPT_DETECTIONS, size=lambda found: 1)


@dataclass(frozen=True)
class Scenes:
    """Originals, what the detector sees in them, and their side of every comparison; several threads may ask."""

    inputs: Source
    detector: Detector
    originals: Originals
    _pictures: Recent[Picture] = field(default_factory=_images)
    _seen: Recent[list[Detection]] = field(default_factory=_detections)

    @property
    def network(self) -> Perceptual:
        """The perceptual distance."""
        return self.originals.network

    def original(self, sample: Sample) -> Image:
        """The original image of a sample, (height, width, 3) uint8. Raises BenchmarkError."""
        return self._picture(sample).read()

    def share(self, sample: Sample, preparation: Preparation) -> Share:
        """The original's side of a comparison. Raises UnmeasurableError, BenchmarkError."""
        return self.originals.share(self._picture(sample), preparation)

    def sift(self, sample: Sample) -> Sift:
        """The original's side of the viewpoint test. Raises BenchmarkError."""
        return self.originals.sift(self._picture(sample))

    def true_share(self, task: Task, preparation: Preparation) -> Share:
        """The true edit's side of a comparison. Raises UnmeasurableError, BenchmarkError."""
        return self.originals.share(self._true_picture(task), preparation)

    def true_view(self, task: Task) -> Share:
        """The true edit's side of the official comparison of views. Raises UnmeasurableError, BenchmarkError."""
        return self.originals.view(self._true_picture(task))

    def detections(self, task: Task) -> list[Detection]:
        """What the detector sees in the original: everything where it can, else what has the target's name."""
        target = EVERYTHING if self.detector.sees_everything else task.truth.target
        return self._seen.get(
            (task.sample.original, target, task.camera.model_dump_json()),
            lambda: self.originals.detections(
                self._picture(task.sample), detector=self.detector, target=target, camera=task.camera
            ),
        )

    def _picture(self, sample: Sample) -> Picture:
        """Of the run's own file: a share that is kept elsewhere excuses no file that is lost or changed."""
        return self._pictures.get(
            ("original", sample.original), lambda: Picture.of_pixels(self.inputs.original(sample))
        )

    def _true_picture(self, task: Task) -> Picture:
        return self._pictures.get(
            ("truth", task.truth.gt_image), lambda: Picture.of_pixels(self.inputs.ground_truth(task))
        )

    def named(self, task: Task, name: str) -> list[Detection]:
        """What the detector calls by that name in the original."""
        return [found for found in self.detections(task) if is_called(found, name)]

    def origins(self, task: Task) -> list[Origin]:
        """Every known object with its detection on the original, in the truth's order; then what else was seen."""
        sample = task.sample
        return find_origins(
            task.truth.objects,
            finite(self.detections(task)),
            intrinsics=self.to_pixels(task),
            image_size=np.array([sample.width, sample.height], dtype=np.float64),
        )

    def to_pixels(self, task: Task) -> FloatArray:
        """The matrix (3, 3) that projects to the image's own pixels."""
        return np.array(task.camera.intrinsics)

    def to_frame(self, task: Task) -> FloatArray:
        """The matrix (3, 3) that projects to the pixels of the image's frame."""
        return Frame.of(task.sample.height, task.sample.width).matrix @ self.to_pixels(task)
