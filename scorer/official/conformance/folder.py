"""A folder of conformance vectors, as it is or packed.

``<name>.json`` may also be ``<name>.json.gz`` or ``.xz``. An image ``a/b.png`` may also be ``a/b.webp``, in the folder
or in ``a.zip``; the tree ``e2e/`` may be ``e2e.zip``, in which ``x.png.webp`` stands for ``x.png``. All lossless.
"""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import numpy as np
from PIL import Image as PillowImage

from scorer.official.imaging import Image

_PACKED = ".webp"


class Folder:
    """Reads vectors by their plain names."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def has_json(self, name: str) -> bool:
        """Whether ``<name>.json`` is there, plain or packed."""
        return self._packed_json(name) is not None

    def has_tree(self, name: str) -> bool:
        """Whether the tree of that name is there, plain or packed."""
        return (self.path / name).is_dir() or self._zip(name).is_file()

    def json(self, name: str) -> Any:
        """The content of ``<name>.json``. Raises FileNotFoundError, or ValueError where it is no JSON."""
        path = self._packed_json(name)
        if path is None:
            raise FileNotFoundError(f"{name}.json")
        opened = {".gz": gzip.decompress, ".xz": lzma.decompress}.get(path.suffix, bytes)
        return json.loads(opened(path.read_bytes()))

    def image(self, name: str) -> Image:
        """The RGB pixels (height, width, 3) of an image by its path in the vectors. Raises OSError without it."""
        plain, packed = self.path / name, str(Path(name).with_suffix(_PACKED))
        if plain.is_file() or (self.path / packed).is_file():
            return _pixels(plain if plain.is_file() else self.path / packed)
        top = self._zip(Path(name).parts[0])
        if not top.is_file():
            raise FileNotFoundError(name)
        with ZipFile(top) as archive:
            inside = name if name in archive.namelist() else packed
            try:
                return _pixels(BytesIO(archive.read(inside)))
            except KeyError as error:
                raise FileNotFoundError(f"{name} in {top.name}") from error

    @contextmanager
    def tree(self, name: str) -> Iterator[Path]:
        """A folder of files, unpacked for a while where it is a zip."""
        if (self.path / name).is_dir():
            yield self.path / name
            return
        with TemporaryDirectory(prefix="gsi-vectors-") as target, ZipFile(self._zip(name)) as archive:
            for entry in archive.namelist():
                written = Path(archive.extract(entry, target))  # inside target, whatever the entry is called
                if entry.endswith(f".png{_PACKED}"):
                    _decode(written)
            yield Path(target, name)

    def _packed_json(self, name: str) -> Path | None:
        paths = (self.path / f"{name}.json{ending}" for ending in ("", ".gz", ".xz"))
        return next((path for path in paths if path.is_file()), None)

    def _zip(self, name: str) -> Path:
        return self.path / f"{name}.zip"


def _pixels(source: Path | BytesIO) -> Image:
    with PillowImage.open(source) as image:
        return np.array(image.convert("RGB"), dtype=np.uint8)


def _decode(packed: Path) -> None:
    """Replace ``x.png.webp`` by ``x.png``."""
    with PillowImage.open(packed) as image:
        image.save(packed.with_suffix(""), compress_level=1)
    packed.unlink()
