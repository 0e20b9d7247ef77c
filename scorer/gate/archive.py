"""Reads a zip that may be hostile: nothing is written to disk, every byte is counted while it is inflated."""

from __future__ import annotations

import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scorer.contract import Defect
from scorer.gate.defects import Findings, defect
from scorer.gate.directory import ArchiveError, Directory, Header, read_directory, refusal
from scorer.gate.extents import Extent, read_extents
from scorer.gate.limits import Limits
from scorer.gate.paths import folded, is_folder, wrong_kind, wrong_path

__all__ = ["Archive", "ArchiveError", "Contents", "Entry", "opened"]

_CHUNK = 1024 * 1024
_STORED, _DEFLATED = 0, 8


class Entry(NamedTuple):
    """One readable file of an archive; ``name`` uses forward slashes. The rest in bytes, as its headers agree."""

    name: str
    method: int
    crc: int
    start: int
    packed: int
    size: int


class Contents(NamedTuple):
    """The files of an archive that can be read, and the names of those that were refused."""

    accepted: list[Entry]
    refused: list[str]


class Archive:
    """An opened zip. Hands out entries and their bytes; any thread may read."""

    def __init__(self, descriptor: int, directory: Directory, limits: Limits) -> None:
        self._descriptor = descriptor
        self._directory = directory
        self._limits = limits

    def contents(self, findings: Findings) -> Contents:
        """Every ordinary file whose place, kind and size can be trusted; the others are noted in ``findings``."""
        headers = self._directory.headers
        extents = read_extents(self._descriptor, headers, directory=self._directory.offset)
        if extents.overlap:
            findings.add("overlapping-files")
            return Contents([], [header.name for header in headers])
        if stray := extents.stray + self._directory.trailing:
            findings.add("foreign-data", count=stray)
        contents = Contents([], [])
        repeated = _told_once(headers, findings)
        for header, extent in zip(headers, extents.each, strict=True):
            if header.name in repeated:
                contents.refused.append(header.name)
            elif (found := self._entry_defect(header, extent)) is not None:
                findings.note(found)
                contents.refused.append(header.name)
            elif not is_folder(header):
                contents.accepted.append(_entry(header, extent))
        return contents

    def _entry_defect(self, header: Header, extent: Extent) -> Defect | None:
        """What makes an entry unfit before a byte of it is inflated, or None."""
        name = header.name
        if (code := wrong_path(name) or wrong_kind(header)) is not None:
            return defect(code, file=name)
        if extent.outside:
            return defect("damaged-file", file=name, detail="it lies outside the archive")
        if header.method not in (_STORED, _DEFLATED):
            return defect("unsupported-compression", file=name, method=header.method)
        wrong = extent.wrong or ("its size" if header.method == _STORED and header.packed != header.size else "")
        if wrong:
            return defect("lying-header", file=name, what=wrong)
        return None if is_folder(header) else self._size_defect(header)

    def _size_defect(self, header: Header) -> Defect | None:
        limits = self._limits
        if header.size > max(limits.ratio_floor, limits.ratio * header.packed):
            return defect("suspicious-compression", file=header.name, ratio=limits.ratio)
        if max(header.size, header.packed) > limits.file_bytes:
            return defect("file-too-large", file=header.name, limit=limits.file_bytes)
        return defect("empty-file", file=header.name) if header.size == 0 else None

    def read(self, entry: Entry) -> bytes | Defect:
        """The content of one entry, or the defect that keeps it from being read; never more than its headers say."""
        try:
            content = self._stored(entry) if entry.method == _STORED else self._inflated(entry)
        except zlib.error:
            return defect("damaged-file", file=entry.name, detail="its compressed data is damaged")
        if len(content) > entry.size:
            return defect("lying-header", file=entry.name, what="its size: there is more of it")
        if len(content) < entry.size:
            return defect("damaged-file", file=entry.name, detail="its data is cut off")
        if zlib.crc32(content) != entry.crc:
            return defect("damaged-file", file=entry.name, detail="its checksum is wrong")
        return content

    def _stored(self, entry: Entry) -> bytes:
        return os.pread(self._descriptor, entry.size, entry.start)

    def _inflated(self, entry: Entry) -> bytes:
        """What an entry inflates to, one byte more than its size at most."""
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        pieces, packed, at, length = [], b"", 0, 0
        for at in range(0, entry.packed, _CHUNK):
            packed = os.pread(self._descriptor, min(_CHUNK, entry.packed - at), entry.start + at)
            piece = inflater.decompress(packed, entry.size + 1 - length)
            pieces.append(piece)
            length += len(piece)
            if length > entry.size or inflater.eof:
                break
        whole = inflater.eof and at + len(packed) - len(inflater.unused_data) == entry.packed
        if length == entry.size and not whole:
            raise zlib.error
        return b"".join(pieces)


@contextmanager
def opened(path: Path, *, limits: Limits) -> Iterator[Archive]:
    """Open a zip for reading. Raises ArchiveError for a file that is no usable zip, OSError for a failing disk."""
    with path.open("rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > limits.archive_bytes:
            raise refusal("archive-too-large", size=size, limit=limits.archive_bytes)
        directory = read_directory(stream.fileno(), size=size, limits=limits)
        yield Archive(stream.fileno(), directory, limits)


def _entry(header: Header, extent: Extent) -> Entry:
    return Entry(header.name, header.method, header.crc, extent.start, header.packed, header.size)


def _told_once(headers: Sequence[Header], findings: Findings) -> set[str]:
    """The names that stand in the archive more than once, and those that some system takes for another one's."""
    times = Counter(header.name for header in headers)
    first: dict[str, str] = {}
    repeated: set[str] = set()
    for name, count in times.items():
        known = first.setdefault(folded(name), name)
        if count > 1:
            findings.add("duplicate-name", file=name)
        elif known != name:
            findings.add("colliding-name", file=name, other=known)
        else:
            continue
        repeated.add(name)
    return repeated
