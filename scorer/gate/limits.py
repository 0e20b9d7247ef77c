"""How much a submission may cost its reader."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds that hold while an archive is read, whatever its headers claim.

    ``ratio``: how many bytes one compressed byte may become, once a file is larger than ``ratio_floor``; images are
    compressed already, so real ones stay below 2. ``directory_bytes`` bounds the zip's own table of contents, which
    is read whole. ``listed`` bounds how many defects of one kind are told in full.
    """

    archive_bytes: int = 1024 * MEBIBYTE
    directory_bytes: int = 32 * MEBIBYTE
    entries: int = 100_000
    file_bytes: int = 64 * MEBIBYTE
    total_bytes: int = 4096 * MEBIBYTE
    ratio: int = 100
    ratio_floor: int = MEBIBYTE
    listed: int = 25


DEFAULT_LIMITS = Limits()
