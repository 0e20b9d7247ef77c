"""Reads a zip that may be hostile: nothing is written to disk, every byte is counted while it is inflated."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from scorer.contract import Defect
from scorer.gate.defects import Findings, defect
from scorer.gate.limits import Limits

_END = b"PK\x05\x06"
_END_BYTES = 22
_LOCATOR = b"PK\x06\x07"
_LOCATOR_BYTES = 20
_END64 = b"PK\x06\x06"
_END64_BYTES = 56
_COMMENT_BYTES = 0xFFFF
_LOCAL_HEADER = b"PK\x03\x04"
_LOCAL_HEADER_BYTES = 30
_CHUNK = 64 * 1024
_NAME_CHARACTERS = 500
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ARCHIVE_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
    UnicodeError,
)
"""What the standard library's zip reader raises for damaged input; OSError stays ours (a failing disk)."""


class ArchiveError(Exception):
    """The archive as a whole cannot be read; ``defect`` says why."""

    def __init__(self, found: Defect) -> None:
        super().__init__(found.message)
        self.defect = found


class Entry(NamedTuple):
    """One readable file of an archive; ``name`` uses forward slashes."""

    name: str
    info: zipfile.ZipInfo


class Directory(NamedTuple):
    """Where a zip's table of contents says it lies."""

    entries: int
    size: int


def read_directory(stream: BinaryIO) -> Directory | None:
    """The end record of a zip (zip64 included), or None where there is none; reads at most 66 kB."""
    size = stream.seek(0, 2)
    start = max(0, size - _END_BYTES - _COMMENT_BYTES - _LOCATOR_BYTES)
    stream.seek(start)
    tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        return None
    entries, directory = struct.unpack_from("<HI", tail, at + 10)
    locator = at - _LOCATOR_BYTES
    if locator >= 0 and tail[locator : locator + 4] == _LOCATOR:
        (offset,) = struct.unpack_from("<Q", tail, locator + 8)
        if offset + _END64_BYTES <= size:
            stream.seek(offset)
            record = stream.read(_END64_BYTES)
            if record[:4] == _END64:
                entries, directory = struct.unpack_from("<QQ", record, 32)
    return Directory(entries=entries, size=directory)


class Archive:
    """An opened zip. Hands out entries and their bytes; what all entries inflate to is bounded, each counted once."""

    def __init__(self, reader: zipfile.ZipFile, limits: Limits, *, size: int) -> None:
        self._reader = reader
        self._size = size
        self._limits = limits
        self._inflated: dict[int, int] = {}
        self._total = 0

    def entries(self, findings: Findings) -> list[Entry]:
        """Every ordinary file whose place and kind can be trusted; the others are noted in ``findings``."""
        infos = self._reader.infolist()
        if _overlap(infos):
            findings.add("overlapping-files")
            return []
        times = Counter(info.filename for info in infos)
        spelling: dict[str, str] = {}
        told: set[str] = set()
        accepted = []
        for info in infos:
            known = spelling.setdefault(info.filename.casefold(), info.filename)
            if times[info.filename] > 1:
                if info.filename not in told:
                    told.add(info.filename)
                    findings.add("duplicate-name", file=info.filename)
            elif known != info.filename:
                findings.add("colliding-name", file=info.filename, other=known)
            elif (found := _entry_defect(info, archive_size=self._size)) is not None:
                findings.note(found)
            elif not info.is_dir():
                accepted.append(Entry(info.filename, info))
        return accepted

    def read(self, entry: Entry) -> bytes | Defect:
        """The content of one entry, or the defect that keeps it from being read.

        Raises ArchiveError once the archive as a whole has inflated to more than its limit.
        """
        limits = self._limits
        content = bytearray()
        try:
            with self._reader.open(entry.info) as stream:
                while chunk := stream.read(_CHUNK):
                    content += chunk
                    self._count(entry, len(content))
                    if len(content) > limits.file_bytes:
                        return defect("file-too-large", file=entry.name, limit=limits.file_bytes)
                    if len(content) > max(limits.ratio_floor, limits.ratio * entry.info.compress_size):
                        return defect("suspicious-compression", file=entry.name, ratio=limits.ratio)
        except _UNREADABLE as error:
            return defect("damaged-file", file=entry.name, detail=_in_words(error))
        return bytes(content) if content else defect("empty-file", file=entry.name)

    def _count(self, entry: Entry, size: int) -> None:
        self._total += size - self._inflated.get(entry.info.header_offset, 0)
        self._inflated[entry.info.header_offset] = size
        if self._total > self._limits.total_bytes:
            raise ArchiveError(defect("too-much-data", limit=self._limits.total_bytes))


@contextmanager
def opened(path: Path, *, limits: Limits) -> Iterator[Archive]:
    """Open a zip for reading. Raises ArchiveError for a file that is no usable zip, OSError for a failing disk."""
    with path.open("rb") as stream:
        size = path.stat().st_size
        if size > limits.archive_bytes:
            raise ArchiveError(defect("archive-too-large", size=size, limit=limits.archive_bytes))
        _require_directory(stream, limits)
        try:
            reader = zipfile.ZipFile(stream)
        except _UNREADABLE as error:
            raise ArchiveError(defect("damaged-archive", detail=_in_words(error))) from error
        with reader:
            if len(reader.infolist()) > limits.entries:
                raise ArchiveError(defect("too-many-files", limit=limits.entries))
            yield Archive(reader, limits, size=size)


def _require_directory(stream: BinaryIO, limits: Limits) -> None:
    directory = read_directory(stream)
    stream.seek(0)
    if directory is None:
        begins_well = stream.read(4) == _LOCAL_HEADER
        raise ArchiveError(defect("truncated-archive" if begins_well else "not-a-zip"))
    if directory.entries > limits.entries or directory.size > limits.directory_bytes:
        raise ArchiveError(defect("too-many-files", limit=limits.entries))
    stream.seek(0)


def _overlap(infos: list[zipfile.ZipInfo]) -> bool:
    """Whether two entries claim the same bytes of the archive."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    return any(
        first.header_offset + _LOCAL_HEADER_BYTES + first.compress_size > second.header_offset
        for first, second in pairwise(ordered)
    )


def _entry_defect(info: zipfile.ZipInfo, *, archive_size: int) -> Defect | None:
    """What makes an entry unfit whatever it contains, or None."""
    name = info.filename
    code = _path_code(info) or _kind_code(info)
    if code is not None:
        return defect(code, file=info.orig_filename)
    if info.is_dir():
        return None
    if not 0 <= info.header_offset <= archive_size - _LOCAL_HEADER_BYTES - info.compress_size:
        return defect("damaged-file", file=name, detail="it lies outside the archive")
    if info.compress_type not in _METHODS:
        return defect("unsupported-compression", file=name, method=info.compress_type)
    return defect("nested-archive", file=name) if name.lower().endswith(_ARCHIVE_SUFFIXES) else None


def _path_code(info: zipfile.ZipInfo) -> str | None:
    name = info.orig_filename
    if "\\" in name:
        return "backslash-path"
    if name.startswith("/") or name[1:2] == ":":
        return "absolute-path"
    if ".." in name.split("/"):
        return "parent-path"
    parts = name.removesuffix("/").split("/")
    strange = len(name) > _NAME_CHARACTERS or any(ord(c) < 32 or ord(c) == 127 for c in name)
    return "strange-name" if strange or any(part in ("", ".") for part in parts) else None


def _kind_code(info: zipfile.ZipInfo) -> str | None:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_IFMT(mode) and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return "special-file"
    return "encrypted-file" if info.flag_bits & _ENCRYPTED else None


def _in_words(error: BaseException) -> str:
    """A short cause; the reader's own text is kept only where it cannot carry the archive's bytes."""
    if isinstance(error, zipfile.BadZipFile) and "CRC" in str(error):
        return "its checksum is wrong"
    if isinstance(error, zlib.error | EOFError):
        return "its compressed data is damaged or cut off"
    return "its headers are inconsistent"
