"""How much a submission may cost its reader."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


@dataclass(frozen=True)
class Limits:
    """Bounds that hold while an archive is read, whatever its headers claim.

    ``directory_bytes`` bounds the zip's own table of contents, which is read whole. ``ratio``: how many bytes one
    compressed byte may become, once a file is larger than ``ratio_floor``; images are compressed already, so real ones
    stay below 2. ``memory_bytes``: what all images in work may take together, so that more threads never need more
    memory. ``listed`` bounds how many defects of one kind are told in full.
    """

    archive_bytes: int = 8 * GIBIBYTE
    directory_bytes: int = 32 * MEBIBYTE
    entries: int = 100_000
    file_bytes: int = 32 * MEBIBYTE
    total_bytes: int = 12 * GIBIBYTE
    ratio: int = 100
    ratio_floor: int = MEBIBYTE
    memory_bytes: int = 160 * MEBIBYTE
    listed: int = 25


DEFAULT_LIMITS = Limits()

MOST_PIXELS = 8 * 1024 * 1024
"""Of an image, whatever its format: a little more than 3840 x 2160. Originals are held to it where they are added."""
