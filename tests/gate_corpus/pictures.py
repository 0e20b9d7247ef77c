"""Pictures of every kind, from a seed."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from tests.gate_corpus.benchmark import HEIGHT, WIDTH

SIZE = (WIDTH, HEIGHT)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def image(rng: np.random.Generator, size: tuple[int, int] = SIZE) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def saved(picture: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format=format, **options)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    rows: bytes,
    *,
    depth: int = 8,
    colour: int = 2,
    size: tuple[int, int] = SIZE,
    more: bytes = b"",
    interlaced: bool = False,
) -> bytes:
    """A PNG of filtered rows."""
    head = struct.pack(">2I5B", *size, depth, colour, 0, 0, int(interlaced))
    return SIGNATURE + chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def rows_of(pixels: np.ndarray) -> bytes:
    """Rows without a filter; numbers of two bytes become big-endian."""
    big = pixels.astype(pixels.dtype.newbyteorder(">"))
    return b"".join(b"\0" + row.tobytes() for row in big)


def interlaced_rows(pixels: np.ndarray) -> bytes:
    """The seven passes of Adam7."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    return b"".join(rows_of(pixels[top::down, left::right]) for top, left, down, right in passes)


def sixteen(rng: np.random.Generator, *, channels: int, more: bytes = b"") -> bytes:
    shape = (HEIGHT, WIDTH, channels) if channels > 1 else (HEIGHT, WIDTH)
    values = rng.integers(0, 2**16, shape, dtype=np.uint16)
    return png(rows_of(values), depth=16, colour=2 if channels == 3 else 0, more=more)


def with_orientation(picture: Image.Image, format: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture, format, exif=exif)


def with_alpha(picture: Image.Image, least: int) -> Image.Image:
    """The picture with an alpha channel of 255 and one pixel of ``least``."""
    alpha = np.full((picture.height, picture.width), 255, np.uint8)
    alpha[3, 4] = least
    return Image.fromarray(np.dstack([np.asarray(picture), alpha]))


def huge_jpeg(picture: Image.Image) -> bytes:
    """A JPEG whose header claims 65000 x 60000 pixels."""
    content = bytearray(saved(picture, "JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">2H", 60_000, 65_000)
    return bytes(content)


def huge_webp(picture: Image.Image) -> bytes:
    """A WebP whose header claims 16384 x 16384 pixels."""
    content = bytearray(saved(picture, "WEBP", lossless=True))
    content[21:25] = struct.pack("<I", 0x3FFF | 0x3FFF << 14)
    return bytes(content)


def jpeg_of_many_scans(picture: Image.Image, count: int) -> bytes:
    content = saved(picture, "JPEG")
    at = content.index(b"\xff\xda")
    return content[:at] + content[at:-2] * count + content[-2:]
