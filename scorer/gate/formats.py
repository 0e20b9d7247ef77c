"""What a picture's bytes say before anything is decoded: its format, its size, how it is painted."""

from __future__ import annotations

import io
from typing import Literal

from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from scorer.gate import png

Format = Literal["PNG", "JPEG", "WEBP"]

FORMATS: tuple[Format, ...] = ("PNG", "JPEG", "WEBP")
FORMAT_OF_SUFFIX: dict[str, Format] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
MOST_SCANS = 200
"""Passes in which a JPEG may paint its picture; each costs as much as decoding it whole."""
_JPEG_SCAN = b"\xff\xda"


def format_of(content: bytes) -> Format | None:
    """The format that the first bytes announce, or None."""
    if content.startswith(png.SIGNATURE):
        return "PNG"
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    return "WEBP" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None


def size_in_header(content: bytes) -> tuple[int, int]:
    """Width and height that a picture claims; decodes nothing. Raises anything where there is no sound header."""
    match format_of(content):
        case "PNG":
            return PngImageFile(io.BytesIO(content)).size
        case "JPEG":
            return JpegImageFile(io.BytesIO(content)).size
        case _:
            return _webp_size(content)


def _webp_size(content: bytes) -> tuple[int, int]:
    """From the first chunk. Source: RFC 9649, 2.5 to 2.7."""
    kind, body = content[12:16], content[20:30]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise ValueError("no WebP picture")


def scans(content: bytes) -> int:
    """In how many passes a JPEG paints its picture; 1 for the other formats."""
    return content.count(_JPEG_SCAN) if format_of(content) == "JPEG" else 1
