"""What stands before and behind each file of a zip, compared with its table of contents.

Every file begins with a header of its own and may end with a descriptor. They say again what the table of contents
says; an archive in which they disagree shows other files to other readers. Source: APPNOTE 6.3.10, 4.3.7 to 4.3.9.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import NamedTuple

from scorer.gate.directory import FULL32, LOCAL, Header, decoded, zip64_values

ENCRYPTED = 0x1 | 0x40 | 0x2000
"""Of the file, strongly, and of its header."""
_DESCRIBED = 0x8
_LOCAL_RECORD = struct.Struct("<4s5H3L2H")
_READ_AT_ONCE = 1024
_DESCRIPTORS = (struct.Struct("<4s3L"), struct.Struct("<4sL2Q"))
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_LONGEST_DESCRIPTOR = 24


class Extent(NamedTuple):
    """Where a file's data lie (``start`` to ``stop``), or ``wrong``: what keeps them from being trusted."""

    start: int = 0
    stop: int = 0
    outside: bool = False
    wrong: str = ""


class Extents(NamedTuple):
    """One extent for each header; whether two share bytes; how many bytes between files belong to none."""

    each: list[Extent]
    overlap: bool
    stray: int


def read_extents(descriptor: int, headers: Sequence[Header], *, directory: int) -> Extents:
    """Read every file's own header. ``directory``: where the table of contents begins, behind all files."""
    each = [_extent(descriptor, header, directory) for header in headers]
    placed = sorted((index for index, extent in enumerate(each) if extent.start), key=lambda i: headers[i].offset)
    begins = [*(headers[index].offset for index in placed), directory]
    overlap, stray = False, begins[0]
    for index, following in zip(placed, begins[1:], strict=True):
        gap = following - each[index].stop
        if gap < 0:
            overlap = True
        elif headers[index].flags & _DESCRIBED:
            behind = os.pread(descriptor, min(gap, _LONGEST_DESCRIPTOR), each[index].stop)
            length = _descriptor_length(behind, headers[index])
            gap -= length
            if not length and not each[index].wrong:
                each[index] = each[index]._replace(wrong="the descriptor behind it")
        stray += max(gap, 0)
    sure = not overlap and all(extent.start and not extent.wrong for extent in each)
    return Extents(each, overlap, stray if sure else 0)


def _extent(descriptor: int, header: Header, directory: int) -> Extent:
    if not 0 <= header.offset <= directory - _LOCAL_RECORD.size - header.packed:
        return Extent(outside=True)
    record = os.pread(descriptor, _READ_AT_ONCE, header.offset)
    signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL_RECORD.unpack_from(record)
    if signature != LOCAL:
        return Extent(wrong="where it begins")
    length = _LOCAL_RECORD.size + name_length + extra_length
    if length > len(record):
        record = os.pread(descriptor, length, header.offset)
    name = record[_LOCAL_RECORD.size : _LOCAL_RECORD.size + name_length]
    size, packed = zip64_values(record[_LOCAL_RECORD.size + name_length : length], size, packed)
    wrong = ""
    if decoded(name, header.flags) != header.name:
        wrong = "its name"
    elif method != header.method or (flags ^ header.flags) & (_DESCRIBED | ENCRYPTED):
        wrong = "how it is packed"
    else:
        said = ((crc, header.crc, "its checksum"), (packed, header.packed, "its size"), (size, header.size, "its size"))
        later = (0, FULL32) if flags & _DESCRIBED else ()
        wrong = next((what for here, there, what in said if here != there and here not in later), "")
    start = header.offset + length
    return Extent(start, start + header.packed, wrong=wrong)


def _descriptor_length(behind: bytes, header: Header) -> int:
    """The length of the descriptor that ``behind`` begins with; 0 where it does not say what the header says."""
    for record in _DESCRIPTORS:
        try:
            full = record.pack(_DESCRIPTOR_SIGNATURE, header.crc, header.packed, header.size)
        except struct.error:  # too large for the short one
            continue
        for known in (full, full[len(_DESCRIPTOR_SIGNATURE) :]):
            if behind.startswith(known):
                return len(known)
    return 0
