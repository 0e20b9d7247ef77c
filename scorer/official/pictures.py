"""Images from files: decoded by Pillow as RGB, and one error for everything that Pillow may make of a bad one."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from scorer.official.imaging import Image

_BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError),
    *(struct.error, zlib.error, PillowImage.DecompressionBombError),
)


class UnreadableError(ValueError):
    """No image that Pillow opens. ``cause``: the name of Pillow's own exception."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name} is not a readable image ({cause})")
        self.cause = cause


def read_image(path: Path) -> Image:
    """An image as RGB (height, width, 3) uint8, converted by Pillow. Raises UnreadableError."""
    try:
        return decoded(path.read_bytes(), name=path.name)
    except OSError as error:
        raise UnreadableError(path.name, type(error).__name__) from error


def decoded(content: bytes, *, name: str) -> Image:
    """The same of a file's content. Raises UnreadableError."""
    try:
        with PillowImage.open(BytesIO(content)) as image:
            return np.array(image.convert("RGB"), dtype=np.uint8)
    except _BROKEN as error:
        raise UnreadableError(name, type(error).__name__) from error


def size_of(content: bytes, *, name: str) -> tuple[int, int]:
    """The (height, width) that a file's content states, without its pixels. Raises UnreadableError."""
    try:
        with PillowImage.open(BytesIO(content)) as image:
            return image.height, image.width
    except _BROKEN as error:
        raise UnreadableError(name, type(error).__name__) from error
