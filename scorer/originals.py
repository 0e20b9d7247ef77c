"""The originals' share of the measuring, made once for all submissions: in memory, and on disk if a folder is given.

Kept for each original and each way to prepare it: its prepared image with its features for the perceptual distance, and
its SIFT features (for the viewpoint test of rotations); likewise for true edits; and what a learned detector found, for
each name and camera (``scorer.kept_detections``). A key is made of the picture's hash,
how it is prepared, the network and its weights' hash, the device and all versions that can change a number, so nothing
stale is ever found; what no longer fits is forgotten, oldest use first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import PIL
import torch
from torch import Tensor

from scorer import kept_detections
from scorer.arrays_on_disk import Arrays, ArraysOnDisk
from scorer.comparing import Preparation
from scorer.contract import CameraData
from scorer.detectors.port import Detection, Detector, Learned
from scorer.measures import ssim
from scorer.measures.port import Perceptual
from scorer.official.imaging import Image
from scorer.official.locality import Share, device_of, view_share
from scorer.official.viewpoint import Sift, sift_of
from scorer.recent import Recent

VERSION = "originals-2"
"""Changes whenever what is kept can change."""
MEMORY_BYTES = 1 << 30
DISK_BYTES = 16 << 30

OFFICIAL = Preparation(whole=False, plain=False)
"""How the official evaluation prepares images."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Picture:
    """An image whose pixels may not be needed. ``sha256``: of all that decides them.

    ``read``: makes the pixels, (height, width, 3) RGB; what it raises reaches whoever asks for a share.
    """

    sha256: str
    read: Callable[[], Image]

    @classmethod
    def of_content(cls, content: bytes, read: Callable[[], Image]) -> Picture:
        """Of a file's content, which ``read`` decodes."""
        return cls(hashlib.sha256(content).hexdigest(), read)

    @classmethod
    def of_pixels(cls, image: Image) -> Picture:
        """Of an image that is there already."""
        digest = hashlib.sha256(f"pixels {image.shape}\n".encode())
        digest.update(np.ascontiguousarray(image).data)
        return cls(digest.hexdigest(), lambda: image)


class Originals:
    """The cache; safe to use from several threads, and its folder from several processes."""

    def __init__(
        self,
        *,
        network: Perceptual,
        folder: Path | None = None,
        memory_bytes: int = MEMORY_BYTES,
        disk_bytes: int = DISK_BYTES,
        read_only: bool = False,
        beside: Path | None = None,
    ) -> None:
        self.network = network
        self._disk = None
        if folder is not None:
            self._disk = ArraysOnDisk(folder, most_bytes=disk_bytes, read_only=read_only, beside=beside)
        self._shares: Recent[Share] = Recent(memory_bytes, size=_share_bytes)
        self._sifts: Recent[Sift] = Recent(memory_bytes // 8, size=lambda sift: sift.descriptors.nbytes)
        versions = (VERSION, torch.__version__, cv2.__version__, PIL.__version__, np.__version__)
        computing = (device_of(network).type, torch.backends.cpu.get_cpu_capability())
        self._salt = "\n".join((*versions, *computing, network.name, network.sha256 or "no weights"))

    @property
    def used(self) -> list[str]:
        """The names of the files in the folder that were asked for, there or not."""
        return [] if self._disk is None else sorted(self._disk.used)

    def share(self, picture: Picture, preparation: Preparation = OFFICIAL) -> Share:
        """The share for comparisons of images that are prepared so. Raises UnmeasurableError for too small ones."""
        kind = f"share whole={preparation.whole} plain={preparation.plain}"
        return self._share(kind, picture, lambda: preparation.share(picture.read(), self.network))

    def view(self, picture: Picture) -> Share:
        """The share of a true view, for the official comparison. Raises UnmeasurableError for a too small one."""
        return self._share("view", picture, lambda: view_share(picture.read(), network=self.network))

    def sift(self, picture: Picture) -> Sift:
        """The features for the viewpoint test."""
        return self._sifts.get(
            picture.sha256,
            lambda: self._kept(
                "sift", picture, make=lambda: sift_of(picture.read()), pack=_sift_arrays, unpack=_sift_from
            ),
        )

    def detections(self, picture: Picture, *, detector: Detector, target: str, camera: CameraData) -> list[Detection]:
        """What the detector sees in the picture; kept on disk for a learned one, whose answers cost seconds."""
        if self._disk is None or not isinstance(detector, Learned):
            return detector.detect(image=picture.read(), target=target, camera=camera)
        key = kept_detections.key_of(picture.sha256, detector=detector, target=target, camera=camera)
        arrays = self._disk.get(
            key, lambda: kept_detections.packed(detector.detect(image=picture.read(), target=target, camera=camera))
        )
        return kept_detections.unpacked(arrays, target=target)

    def _share(self, kind: str, picture: Picture, make: Callable[[], Share]) -> Share:
        def unpack(arrays: Arrays) -> Share:
            return _share_from(arrays, device=device_of(self.network))

        return self._shares.get(
            (kind, picture.sha256), lambda: self._kept(kind, picture, make=make, pack=_share_arrays, unpack=unpack)
        )

    def _kept(
        self,
        kind: str,
        picture: Picture,
        *,
        make: Callable[[], T],
        pack: Callable[[T], Arrays],
        unpack: Callable[[Arrays], T],
    ) -> T:
        """From disk, or made and put there."""
        if self._disk is None:
            return make()
        made: list[T] = []

        def packed() -> Arrays:
            made.append(make())
            return pack(made[0])

        key = hashlib.sha256(f"{self._salt}\n{kind}\n{picture.sha256}".encode()).hexdigest()
        arrays = self._disk.get(key, packed)
        return made[0] if made else unpack(arrays)


def _share_bytes(share: Share) -> int:
    return sum(array.nbytes for array in (share.image, *share.moments, *share.features))


def _share_arrays(share: Share) -> Arrays:
    """Moments are cheaper to make again than to read. Features keep how they lie, on which their sums depend."""
    found = {"image": share.image}
    for k, features in enumerate(share.features):
        if features.is_contiguous():
            found[f"first{k}"] = features
        else:
            found[f"last{k}"] = features.permute(0, 2, 3, 1)
    return found


def _share_from(arrays: Arrays, *, device: torch.device) -> Share:
    found: dict[str, Tensor] = {name: array.to(device) for name, array in arrays.items()}
    features = [
        found[f"first{k}"] if f"first{k}" in found else found[f"last{k}"].permute(0, 3, 1, 2)
        for k in range(len(found) - 1)
    ]
    return Share(found["image"], ssim.moments(found["image"]), features)


def _sift_arrays(sift: Sift) -> Arrays:
    return {
        "points": torch.from_numpy(sift.points),
        "descriptors": torch.from_numpy(sift.descriptors),
        "size": torch.tensor(sift.size),
    }


def _sift_from(arrays: Arrays) -> Sift:
    height, width = (int(side) for side in arrays["size"])
    return Sift(arrays["points"].numpy(), arrays["descriptors"].numpy(), (height, width))
