"""Archives that no honest tool makes, built byte by byte."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections.abc import Iterable

Entry = tuple[zipfile.ZipInfo | str, bytes]


def built(entries: Iterable[Entry], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of the entries as they are given, repeated and strange names included."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for info, content in entries:
            archive.NameToInfo.clear()  # or the writer warns of repeated names
            archive.writestr(info, content, compress_type=method)
    return stream.getvalue()


def link(name: str, target: str) -> Entry:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def pipe(name: str) -> Entry:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFIFO | 0o644) << 16
    return info, b""


def said_to_be_encrypted(archive: bytes) -> bytes:
    """The first entry's flag set in both of its headers."""
    changed = bytearray(archive)
    changed[6] |= 1
    central = archive.index(b"PK\x01\x02")
    changed[central + 8] |= 1
    return bytes(changed)


def with_wrong_checksum(archive: bytes) -> bytes:
    """The first entry's checksum inverted in both of its headers."""
    changed = bytearray(archive)
    central = archive.index(b"PK\x01\x02")
    for start in (14, central + 16):
        changed[start : start + 4] = bytes(b ^ 0xFF for b in changed[start : start + 4])
    return bytes(changed)


def with_understated_size(archive: bytes, size: int) -> bytes:
    """The first entry's inflated size set to ``size`` in both of its headers."""
    changed = bytearray(archive)
    central = archive.index(b"PK\x01\x02")
    for start in (22, central + 24):
        changed[start : start + 4] = struct.pack("<I", size)
    return bytes(changed)


def with_shared_bytes(name: str, others: Iterable[str], content: bytes) -> bytes:
    """Several entries of the table of contents that all point to one file's bytes."""
    archive = built([(name, content)])
    central = archive.index(b"PK\x01\x02")
    end = archive.rindex(b"PK\x05\x06")
    record = archive[central:end]
    records = [record]
    for other in others:
        head = bytearray(record[:46])
        head[28:30] = struct.pack("<H", len(other))
        records.append(bytes(head) + other.encode())
    directory = b"".join(records)
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(records), len(records), len(directory), central, 0)
    return archive[:central] + directory + tail


def with_place(archive: bytes, offset: int) -> bytes:
    """The first entry said to begin at ``offset``, by a zip64 field of its own in the table of contents."""
    central = archive.index(b"PK\x01\x02")
    end = archive.rindex(b"PK\x05\x06")
    head = bytearray(archive[central:end])
    name = int.from_bytes(head[28:30], "little")
    field = struct.pack("<HHQ", 1, 8, offset)
    head[30:32] = struct.pack("<H", len(field))
    head[42:46] = b"\xff\xff\xff\xff"
    head[46 + name : 46 + name] = field
    tail = bytearray(archive[end:])
    tail[12:16] = struct.pack("<I", len(head))
    return archive[:central] + bytes(head) + bytes(tail)
