"""Writes zips field by field, truthfully unless told otherwise."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
Fields = Mapping[str, int | bytes]
Descriptor = Literal["signed", "bare", "signed64", "bare64"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One entry. ``local`` and ``central`` replace fields of its headers, ``tail`` the descriptor behind it.

    ``packed``: the bytes in the archive in place of the compressed content. ``stray``: bytes behind the entry.
    ``listed``: how often it stands in the table of contents.
    """

    name: str | bytes
    content: bytes = b""
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    level: int = 6
    descriptor: Descriptor | None = None
    zip64: bool = False
    packed: bytes | None = None
    local: Fields = field(default_factory=dict)
    central: Fields = field(default_factory=dict)
    tail: bytes | None = None
    stray: bytes = b""
    comment: bytes = b""
    listed: int = 1

    @property
    def raw_name(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode()

    @property
    def data(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return self.content if self.method == 0 else deflated(self.content, level=self.level)


def deflated(content: bytes, *, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def written(
    parts: Sequence[Part],
    *,
    comment: bytes = b"",
    prefix: bytes = b"",
    adjusted: bool = True,
    before_directory: bytes = b"",
    zip64: bool = False,
    end: Fields | None = None,
    end64: Fields | None = None,
    locator: Fields | None = None,
    suffix: bytes = b"",
) -> bytes:
    """The archive. ``adjusted``: offsets count the ``prefix``; the mappings replace fields of the end records."""
    body = bytearray(prefix)
    directory = bytearray()
    shift = 0 if adjusted else len(prefix)
    for part in parts:
        fields = _fields(part, offset=len(body) - shift)
        body += _local(part, fields) + part.data + _descriptor(part) + part.stray
        directory += _central(part, fields) * part.listed
    body += before_directory
    count = sum(part.listed for part in parts)
    place = {"entries": count, "size": len(directory), "offset": len(body) - shift}
    body += directory
    if zip64:
        body += _end64(place, len(body), end64 or {}, locator or {})
        place = {"entries": FULL16, "size": FULL32, "offset": FULL32}
    last = {"disk": 0, "first": 0, "here": place["entries"], **place, "comment": len(comment), **(end or {})}
    body += struct.pack("<4s4H2LH", b"PK\x05\x06", *(last[key] for key in _END_KEYS)) + comment
    return bytes(body) + suffix


_END_KEYS = ("disk", "first", "here", "entries", "size", "offset", "comment")


def _end64(place: Mapping[str, int], at: int, changes: Fields, locator: Fields) -> bytes:
    record = {"signature": b"PK\x06\x06", "length": 44, "made": 45, "needed": 45, "disk": 0, "first": 0}
    record |= {"here": place["entries"], **place, **changes}
    pointer = {"disk": 0, "at": at, "disks": 1, **locator}
    return struct.pack("<4sQ2H2L4Q", *record.values()) + struct.pack("<4sLQL", b"PK\x06\x07", *pointer.values())


def _fields(part: Part, *, offset: int) -> dict[str, int | bytes]:
    return {
        "flags": part.flags | (8 if part.descriptor else 0),
        "method": part.method,
        "name": part.raw_name,
        "crc": zlib.crc32(part.content),
        "packed": len(part.data),
        "size": len(part.content),
        "extra": b"",
        "offset": offset,
        "disk": 0,
        "mode": part.mode,
        "system": 3,
        "made": 20,
        "needed": 20,
    }


def _local(part: Part, fields: Fields) -> bytes:
    told = dict(fields)
    if part.descriptor:
        told |= {"crc": 0, "packed": 0, "size": 0}
    if part.zip64:
        sizes = (told["size"], told["packed"])
        told |= {"size": FULL32, "packed": FULL32, "extra": struct.pack("<2H2Q", 1, 16, *sizes)}
    told |= {"signature": b"PK\x03\x04", **part.local}
    numbers = [told[key] for key in ("flags", "method")] + [0, 0x21] + [told[key] for key in ("crc", "packed", "size")]
    lengths = (len(told["name"]), len(told["extra"]))
    return struct.pack("<4s5H3L2H", told["signature"], 20, *numbers, *lengths) + told["name"] + told["extra"]


_VERSIONS = ("signature", "made", "system", "needed")


def _central(part: Part, fields: Fields) -> bytes:
    told = dict(fields)
    if part.zip64:
        values = (told["size"], told["packed"], told["offset"])
        told |= {"size": FULL32, "packed": FULL32, "offset": FULL32, "extra": struct.pack("<2H3Q", 1, 24, *values)}
    told |= {"signature": b"PK\x01\x02", **part.central}
    lengths = map(len, (told["name"], told["extra"], part.comment))
    head = struct.pack("<4s4B4H", *(told[key] for key in _VERSIONS), 0, told["flags"], told["method"], 0, 0x21)
    head += struct.pack("<3L3H", *(told[key] for key in ("crc", "packed", "size")), *lengths)
    head += struct.pack("<2H2L", told["disk"], 0, told["mode"] << 16, told["offset"])
    return head + told["name"] + told["extra"] + part.comment


def _descriptor(part: Part) -> bytes:
    if part.tail is not None or part.descriptor is None:
        return part.tail or b""
    record = "<L2Q" if part.descriptor.endswith("64") else "<3L"
    told = struct.pack(record, zlib.crc32(part.content), len(part.data), len(part.content))
    return (b"PK\x07\x08" if part.descriptor.startswith("signed") else b"") + told
