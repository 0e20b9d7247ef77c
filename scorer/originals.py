"""The originals' share of the measuring, made once for all submissions: in memory, and on disk if a folder is given.

Kept for each original: its processed image with SSIM moments and LPIPS features, and its SIFT features (for the
viewpoint test of rotations). A key is made of the picture's hash, the weights' hash, the device and all versions that
can change a number, so nothing stale is ever found; what no longer fits is forgotten, oldest use first.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as PillowImage
from torch import Tensor

from scorer.arrays_on_disk import Arrays, ArraysOnDisk
from scorer.measures import ssim
from scorer.measures.lpips import Lpips
from scorer.official.imaging import Image, UnmeasurableError, processed
from scorer.official.locality import Share, share_of

VERSION = "originals-1"
"""Changes whenever what is kept can change."""
MEMORY_BYTES = 1 << 30
DISK_BYTES = 16 << 30

T = TypeVar("T")


class Picture(NamedTuple):
    """An image file; ``sha256``: of its content, where it is known already (else it is computed)."""

    path: Path
    sha256: str | None = None


class Sift(NamedTuple):
    """SIFT features (Lowe 2004, OpenCV's defaults): ``points`` (n, 2) x, y in pixels; ``descriptors`` (n, 128)."""

    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.float32]


def read(path: Path) -> Image:
    """The pixels of an image file, (height, width, 3) RGB. Raises UnmeasurableError where Pillow cannot read it."""
    try:
        with PillowImage.open(path) as picture:
            return np.asarray(picture.convert("RGB"), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise UnmeasurableError(f"{path.name} cannot be read as an image ({type(error).__name__})") from error


def sift_of(image: Image) -> Sift:
    """Of an RGB image that OpenCV takes for BGR, as the official viewpoint test does."""
    points, descriptors = cv2.SIFT.create().detectAndCompute(image, None)
    places = np.array([point.pt for point in points], dtype=np.float32).reshape(-1, 2)
    kept = np.zeros((0, 128)) if len(places) == 0 else descriptors
    return Sift(places, np.asarray(kept, dtype=np.float32))


class Originals:
    """The cache; safe to use from several threads, and its folder from several processes."""

    def __init__(
        self,
        *,
        network: Lpips,
        folder: Path | None = None,
        memory_bytes: int = MEMORY_BYTES,
        disk_bytes: int = DISK_BYTES,
    ) -> None:
        self.network = network
        self._disk = ArraysOnDisk(folder, most_bytes=disk_bytes) if folder is not None else None
        self._shares: _Recent[Share] = _Recent(memory_bytes, size=_share_bytes)
        self._sifts: _Recent[Sift] = _Recent(memory_bytes // 8, size=lambda sift: sift.descriptors.nbytes)
        self._hashes: dict[tuple[str, int, int], str] = {}
        versions = (VERSION, torch.__version__, cv2.__version__, network.sha256, self.device.type)
        self._salt = "\n".join(versions)

    @property
    def device(self) -> torch.device:
        """Where the network computes."""
        return self.network.get_buffer("shift").device

    def share(self, picture: Picture) -> Share:
        """The share for comparisons. Raises UnmeasurableError for a picture that is unreadable or too small."""

        def make() -> Share:
            arrays = self._arrays("share", picture, lambda: _share_arrays(self._fresh(picture)))
            return _share_from(arrays, device=self.device)

        return self._shares.get(self._sha256(picture), make)

    def sift(self, picture: Picture) -> Sift:
        """The features for the viewpoint test. Raises UnmeasurableError for an unreadable picture."""

        def make() -> Sift:
            arrays = self._arrays("sift", picture, lambda: _sift_arrays(sift_of(read(picture.path))))
            return Sift(arrays["points"].numpy(), arrays["descriptors"].numpy())

        return self._sifts.get(self._sha256(picture), make)

    def fill(self, pictures: Iterable[Picture], *, workers: int = 1) -> int:
        """Make the shares of many pictures beforehand; returns how many could be made."""

        def made(picture: Picture) -> bool:
            try:
                self.share(picture)
            except UnmeasurableError:
                return False
            return True

        with ThreadPoolExecutor(workers) as pool:
            return sum(pool.map(made, pictures))

    def _fresh(self, picture: Picture) -> Share:
        return share_of(processed(read(picture.path)).to(self.device), network=self.network)

    def _arrays(self, kind: str, picture: Picture, make: Callable[[], Arrays]) -> Arrays:
        if self._disk is None:
            return make()
        key = hashlib.sha256(f"{self._salt}\n{kind}\n{self._sha256(picture)}".encode()).hexdigest()
        return self._disk.get(key, make)

    def _sha256(self, picture: Picture) -> str:
        if picture.sha256 is not None:
            return picture.sha256
        try:
            state = picture.path.stat()
            stamp = (str(picture.path.resolve()), state.st_size, state.st_mtime_ns)
            if stamp not in self._hashes:
                self._hashes[stamp] = hashlib.sha256(picture.path.read_bytes()).hexdigest()
        except OSError as error:
            raise UnmeasurableError(f"{picture.path.name} cannot be read: {error.strerror}") from error
        return self._hashes[stamp]


class _Recent(Generic[T]):
    """Values by key, bounded by their size in bytes; each is made once even if several threads ask at a time."""

    def __init__(self, most_bytes: int, *, size: Callable[[T], int]) -> None:
        self._most, self._size = most_bytes, size
        self._values: OrderedDict[str, T] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}

    def get(self, key: str, make: Callable[[], T]) -> T:
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
            value = make()
            with self._lock:
                self._keep(key, value)
            return value

    def _keep(self, key: str, value: T) -> None:
        self._values[key] = value
        self._bytes += self._size(value)
        while self._bytes > self._most and len(self._values) > 1:
            forgotten, old = self._values.popitem(last=False)
            self._bytes -= self._size(old)
            self._making.pop(forgotten, None)


def _share_bytes(share: Share) -> int:
    return sum(array.nbytes for array in (share.image, *share.moments, *share.features))


def _share_arrays(share: Share) -> Arrays:
    """Moments are cheaper to make again than to read; features lie channels last."""
    stages = {f"stage{k}": found.permute(0, 2, 3, 1) for k, found in enumerate(share.features)}
    return {"image": share.image, **stages}


def _share_from(arrays: Arrays, *, device: torch.device) -> Share:
    found: dict[str, Tensor] = {name: array.to(device) for name, array in arrays.items()}
    stages = [found[f"stage{k}"].permute(0, 3, 1, 2) for k in range(len(found) - 1)]
    return Share(found["image"], ssim.moments(found["image"]), stages)


def _sift_arrays(sift: Sift) -> Arrays:
    return {"points": torch.from_numpy(sift.points), "descriptors": torch.from_numpy(sift.descriptors)}
