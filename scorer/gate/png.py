"""What Pillow does not look after in a PNG: its end mark, and whether all rows are there. Source: W3C PNG (3rd ed.)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of Adam7: first column and row, then the steps."""
_PIECE = 256 * 1024


def has_sixteen_bits(content: bytes) -> bool:
    """Whether each channel has 16 bits."""
    return _header(content)[2] == 16


def is_whole(content: bytes, image: Image.Image) -> bool:
    """Whether a PNG that was decoded as ``image`` goes up to its end mark and has all of its rows.

    Rows that are missing are decoded as zeros. Only a picture whose last row is zero, or an interlaced one, is unpacked
    a second time to count them.
    """
    if not _ends(content):
        return False
    interlaced = _header(content)[4]
    last_row = image.crop((0, image.height - 1, image.width, image.height)).tobytes()
    return (not interlaced and any(last_row)) or _has_all_rows(content)


def _header(content: bytes) -> tuple[int, int, int, int, int]:
    """Width, height, depth, colour type, interlaced."""
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">2L5B", content, len(SIGNATURE) + 8)
    return width, height, depth, colour, interlaced


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the data of every chunk that is there whole."""
    at = len(SIGNATURE) + 8
    while at + 4 <= len(content):
        length, kind = int.from_bytes(content[at - 8 : at - 4], "big"), content[at - 4 : at]
        if at + length + 4 > len(content):
            return
        yield kind, at, at + length
        at += length + 12


def _ends(content: bytes) -> bool:
    return any(kind == b"IEND" for kind, _, _ in _chunks(content))


def _has_all_rows(content: bytes) -> bool:
    wanted = _unpacked_bytes(content)
    inflater, found = zlib.decompressobj(), 0
    for kind, begin, end in _chunks(content):
        packed = content[begin:end] if kind == b"IDAT" else b""
        while packed and found < wanted:
            found += len(inflater.decompress(packed, _PIECE))
            packed = inflater.unconsumed_tail
    return found >= wanted


def _unpacked_bytes(content: bytes) -> int:
    """How many bytes the rows of all passes have, each with the byte that names its filter."""
    width, height, depth, colour, interlaced = _header(content)
    bits = depth * _CHANNELS[colour]
    total = 0
    for left, top, right, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // right), -(-(height - top) // down)
        if columns > 0:
            total += max(rows, 0) * (1 + -(-columns * bits // 8))
    return total
