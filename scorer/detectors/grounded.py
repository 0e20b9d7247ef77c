"""The detector of GSI-Bench: GroundingDINO finds rectangles for a name, DetAny3D makes boxes in space of them.

For one name this is what the official evaluation does: every rectangle becomes a box, in the order of GroundingDINO's
queries, nothing is suppressed, and the true camera places the boxes. (Its loop over several names repeats boxes; it is
never asked for more than one.)

Frames. An edit JSON's camera matrix, the network's rectangles and its centres all live in the 896 frame
(:class:`scorer.official.imaging.Frame`), while the port speaks of the image's own pixels. So the port's matrix is
taken into the frame before it reaches the network, which uses it as it is, and rectangles are taken back out. Both
steps undo what the manifest's camera and the rules' rectangles went through, so the official numbers are those of the
official program.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from scorer.contract import CameraData
from scorer.detectors.detany3d import weights as detany3d
from scorer.detectors.detany3d.model import Boxes, DetAny3D, Encoding
from scorer.detectors.detany3d.precision import NAMES
from scorer.detectors.detany3d.preprocess import ImageShapeError, frame_of
from scorer.detectors.grounding_dino import GroundingDino, Rectangles
from scorer.detectors.installed import DetectorSettings, Files
from scorer.detectors.port import EVERYTHING, Detection, Image
from scorer.errors import BenchmarkError, ScorerError
from scorer.geometry import FloatArray
from scorer.official.imaging import Frame
from scorer.recent import Recent

NAME = "grounding-dino-detany3d"
VERSION = "1"
"""Changes whenever answers can, the same weights given; detections that are kept know it."""
KEPT_ENCODINGS = 4
"""Images that stay encoded: several names on one image follow each other."""


class GroundedDetector:
    """See :class:`scorer.detectors.port.Learned`. The networks are loaded when they are first needed, once."""

    name = NAME
    sees_everything = False

    def __init__(self, settings: DetectorSettings, files: Files) -> None:
        self._settings, self._files = settings, files
        self._encodings: Recent[Encoding] = Recent(KEPT_ENCODINGS, size=lambda encoding: 1)
        self._loading = threading.Lock()
        self._loaded: tuple[GroundingDino, DetAny3D] | None = None
        self._turn = threading.Lock()
        self._precision = NAMES[settings.mode].on(torch.device(settings.device))

    @classmethod
    def of(cls, settings: DetectorSettings, *, folder: Path) -> GroundedDetector:
        """With the files of the folder of weights. Raises ScorerError: files, terms, device."""
        if not _is_there(settings.device):
            raise ScorerError(f"detector.device is {settings.device}, but torch finds no such device here: name cpu")
        return cls(settings, Files.find(settings, folder=folder))

    @property
    def weights(self) -> Mapping[str, str]:
        """The sha256 of every file that decides the answers."""
        return self._files.sha256

    def provenance(self) -> dict[str, str]:
        """Code, sizes, device and precision."""
        return {
            "detector_code": VERSION,
            "detector_network": self._files.network,
            "detector_device": _device_name(self._settings.device),
            **{f"detector_{name}": value for name, value in self._precision.recorded().items()},
        }

    @property
    def networks(self) -> tuple[GroundingDino, DetAny3D]:
        """Both networks. Raises ScorerError where a file cannot be used after all."""
        with self._loading:
            if self._loaded is None:
                device, files = self._settings.device, self._files
                self._loaded = (
                    GroundingDino.load(files.grounding_dino, device=device, files=files.sha256),
                    detany3d.load(files.detany3d, device=device).use(self._precision),
                )
            return self._loaded

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A card works on one image at a time, as exactly as the mode says; on processors each thread has its own.

        Raises MemoryError where the device is full.
        """
        try:
            if self._settings.device == "cpu":
                yield
            else:
                with self._turn, self._precision.active():
                    yield
        except torch.OutOfMemoryError as error:
            raise MemoryError(f"{self._settings.device} is full") from error

    def detect(self, *, image: Image, target: str, camera: CameraData) -> list[Detection]:
        """See :class:`scorer.detectors.port.Detector`; a target without a name, or every object, finds nothing.

        So does an image so thin that nothing of it is left on the network's grid.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"an image is (height, width, 3) uint8, not {image.shape} {image.dtype}")
        if target.strip() in ("", EVERYTHING) or min(image.shape[:2]) < 1:
            return []
        height, width = image.shape[:2]
        frame = Frame.of(height, width)
        intrinsics = _in_frame(camera, frame)
        first, second = self.networks
        try:
            frame_of(height, width, second.config)
        except ImageShapeError:
            return []
        with self._alone():
            found = first.find(image, target)
            if not len(found.boxes):
                return []
            encoding = self._encodings.get(_key(image), lambda: second.encode(image))
            boxes = second.decode(encoding, found.boxes.numpy(), intrinsics)
        return _detections(boxes, found, target=target, frame=frame)


def _detections(boxes: Boxes, found: Rectangles, *, target: str, frame: Frame) -> list[Detection]:
    return [
        Detection(
            label=target,
            bbox_3d=boxes.bbox_3d[i].astype(np.float64),
            bbox_2d=frame.to_original(boxes.bbox_2d[i]),
            rotation_matrix=boxes.rotation[i].astype(np.float64),
            score=float(found.scores[i]),
        )
        for i in range(len(boxes))
    ]


def _in_frame(camera: CameraData, frame: Frame) -> FloatArray:
    """The camera matrix as an edit JSON holds it. Raises BenchmarkError where no ray can be drawn with it."""
    matrix = frame.matrix @ np.array(camera.intrinsics)
    if not np.isfinite(np.linalg.cond(matrix)) or min(matrix[0, 0], matrix[1, 1]) <= 0:
        raise BenchmarkError("a sample's camera has no positive focal lengths, or no inverse")
    return np.asarray(matrix)


def _key(image: Image) -> tuple[tuple[int, ...], str]:
    return image.shape, hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()


def _is_there(device: str) -> bool:
    return device == "cpu" or int(device.partition(":")[2] or 0) < torch.cuda.device_count()


def _device_name(device: str) -> str:
    if device == "cpu":
        return f"cpu, {torch.backends.cpu.get_cpu_capability()}"
    return f"cuda, {torch.cuda.get_device_name(device)}"
