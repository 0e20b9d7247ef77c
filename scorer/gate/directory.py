"""Where a zip says its files lie: the end records and the table of contents, in the one reading that there may be.

Stricter than common readers, which look for whatever can be opened: the end record ends with the file, the table of
contents ends where the end record begins, the two end records of a zip64 agree. Source: PKWARE's APPNOTE 6.3.10, 4.3.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from scorer.contract import Defect
from scorer.gate.defects import defect
from scorer.gate.limits import Limits

LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_CENTRAL_RECORD = struct.Struct("<4s4B4H3L5H2L")
_END = b"PK\x05\x06"
_END_RECORD = struct.Struct("<4s4H2LH")
_END64 = b"PK\x06\x06"
_END64_RECORD = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = b"PK\x06\x07"
_LOCATOR_RECORD = struct.Struct("<4sLQL")
_LONGEST_COMMENT = 0xFFFF
_ZIP64_FIELD = 1
_UTF8 = 0x800
_NEWEST = 63
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
"""Stand for a value that does not fit and is in the zip64 field."""


class ArchiveError(Exception):
    """The archive as a whole cannot be read; ``defect`` says why."""

    def __init__(self, found: Defect) -> None:
        super().__init__(found.message)
        self.defect = found


class Header(NamedTuple):
    """One file as the table of contents describes it. Sizes and ``offset`` in bytes; ``mode`` as Unix keeps it."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int


class Directory(NamedTuple):
    """The table of contents. ``offset``: where it begins; ``trailing``: how many bytes follow the archive's end."""

    headers: list[Header]
    offset: int
    trailing: int


class _End(NamedTuple):
    """The end record: ``at``, ``trailing`` bytes behind it, and the table's entries, size and offset as it says."""

    at: int
    trailing: int
    entries: int
    size: int
    offset: int


def refusal(code: str, **facts: int) -> ArchiveError:
    """The error that ends the reading of an archive."""
    return ArchiveError(defect(code, file=None, **facts))


def damage(detail: str) -> ArchiveError:
    """The error for a table of contents that makes no sense."""
    return ArchiveError(defect("damaged-archive", detail=detail))


def read_directory(descriptor: int, *, size: int, limits: Limits) -> Directory:
    """The table of contents of an open file of ``size`` bytes; counts while it reads. Raises ArchiveError."""
    end = _end(descriptor, size)
    if end.entries > limits.entries or end.size > limits.directory_bytes:
        raise refusal("too-many-files", limit=limits.entries)
    start = end.at - end.size
    shift = start - end.offset
    if start < 0 or shift < 0:
        raise damage("it is not where the end of the archive says")
    headers: list[Header] = []
    for header in _headers(os.pread(descriptor, end.size, start), shift=shift):
        if len(headers) >= limits.entries:
            raise refusal("too-many-files", limit=limits.entries)
        headers.append(header)
    if len(headers) != end.entries:
        raise damage(f"it lists {len(headers)} entries and says {end.entries}")
    return Directory(headers, start, end.trailing)


def _end(descriptor: int, size: int) -> _End:
    length = min(size, _LOCATOR_RECORD.size + _END_RECORD.size + _LONGEST_COMMENT)
    tail = os.pread(descriptor, length, size - length)
    places = [at for at in _places(tail) if len(tail) - at >= _END_RECORD.size]
    ends = {at: at + _END_RECORD.size + int(_END_RECORD.unpack_from(tail, at)[-1]) for at in places}
    exact = [at for at, stop in ends.items() if stop == len(tail)]
    if len(exact) > 1:
        raise damage("it can be read in two ways")
    inside = exact or [at for at, stop in ends.items() if stop < len(tail)][-1:]
    if not inside:
        begins_well = os.pread(descriptor, len(LOCAL), 0) == LOCAL
        raise refusal("truncated-archive" if begins_well else "not-a-zip")
    (at,) = inside
    _, disk, first_disk, entries_here, entries, directory, offset, _ = _END_RECORD.unpack_from(tail, at)
    place = _End(size - length + at, len(tail) - ends[at], entries, directory, offset)
    locator = at - _LOCATOR_RECORD.size
    if locator >= 0 and tail.startswith(_LOCATOR, locator):
        return _end64(descriptor, place, *_LOCATOR_RECORD.unpack_from(tail, locator)[1:])
    if disk or first_disk or entries_here != entries:
        raise refusal("split-archive")
    return place


def _places(tail: bytes) -> Iterator[int]:
    at = tail.find(_END)
    while at >= 0:
        yield at
        at = tail.find(_END, at + 1)


def _end64(descriptor: int, end: _End, disk: int, offset: int, disks: int) -> _End:
    """The end record with the values of the zip64 one, to which its locator points."""
    if disk or disks > 1:
        raise refusal("split-archive")
    locator = end.at - _LOCATOR_RECORD.size
    if offset > locator - _END64_RECORD.size:
        raise damage("its zip64 end record is not where its locator says")
    record = os.pread(descriptor, _END64_RECORD.size, offset)
    signature, length, _, _, this, first, here, entries, size, start = _END64_RECORD.unpack(record)
    if signature != _END64 or offset + 12 + length != locator:
        raise damage("its zip64 end record is not where its locator says")
    if this or first or here != entries:
        raise refusal("split-archive")
    pairs = ((end.entries, entries, FULL16), (end.size, size, FULL32), (end.offset, start, FULL32))
    if any(small not in (full, large) for small, large, full in pairs):
        raise damage("its two end records disagree")
    return _End(offset, end.trailing, entries, size, start)


def _headers(table: bytes, *, shift: int) -> Iterator[Header]:
    """The entries of a table of contents; their offsets grow by ``shift``."""
    at = 0
    while at < len(table):
        if not table.startswith(_CENTRAL, at) or len(table) - at < _CENTRAL_RECORD.size:
            raise damage("an entry does not begin where the one before it ends")
        record = _CENTRAL_RECORD.unpack_from(table, at)
        needed, flags, method, crc, packed, size = record[3], record[5], record[6], *record[9:12]
        name_length, extra_length, comment_length, disk, _, attributes, offset = record[12:]
        name_at = at + _CENTRAL_RECORD.size
        extra_at = name_at + name_length
        at = extra_at + extra_length + comment_length
        if at > len(table):
            raise damage("an entry is cut off")
        size, packed, offset = zip64_values(table[extra_at : extra_at + extra_length], size, packed, offset)
        if disk not in (0, FULL16):
            raise refusal("split-archive")
        if needed > _NEWEST:
            raise damage("an entry is of a version that does not exist")
        name = decoded(table[name_at:extra_at], flags)
        yield Header(name, flags, method, crc, packed, size, offset + shift, attributes >> 16)


def zip64_values(extra: bytes, *values: int) -> list[int]:
    """The values in their order, those that stand for larger ones replaced as far as the zip64 field has them."""
    if FULL32 not in values:
        return list(values)
    field = _extra_field(extra)
    found = []
    for value in values:
        if value == FULL32 and len(field) >= 8:
            value, field = int.from_bytes(field[:8], "little"), field[8:]
        found.append(value)
    return found


def _extra_field(extra: bytes) -> bytes:
    """The content of the zip64 field; empty where there is none."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == _ZIP64_FIELD:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def decoded(name: bytes, flags: int) -> str:
    """A name as text: UTF-8 where it can be, flagged or not; else code page 437, as zip had it first."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("utf-8", "surrogateescape") if flags & _UTF8 else name.decode("cp437")
