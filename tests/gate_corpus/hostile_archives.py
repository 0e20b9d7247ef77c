"""Archives that are wrong as a whole."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator

from tests.gate_corpus.base import Base, case
from tests.gate_corpus.benchmark import SAMPLES, Case, path_of
from tests.gate_corpus.zips import Part, written

HIDDEN = Part(name="gsi-real/hidden.png", content=b"never listed", listed=0)


def hostile_archives(base: Base) -> Iterator[Case]:
    """No zips, torn ones, ones that can be read in several ways, bombs."""
    yield from _no_zips(base)
    yield from _torn(base)
    yield from _tables(base)
    yield from _zip64(base)
    yield from _foreign(base)
    yield from _overlapping(base)


def _no_zips(base: Base) -> Iterator[Case]:
    yield case("empty", b"", "not-a-zip")
    yield case("text", b"just some text\n" * 20, "not-a-zip")
    yield case("gzip", gzip.compress(base.first, mtime=0), "not-a-zip")
    yield case("png", base.first, "not-a-zip")
    yield case("tar", b"scene.png".ljust(257, b"\0") + b"ustar\x0000" + bytes(2000), "not-a-zip")
    yield case("rar", b"Rar!\x1a\x07\x01\x00" + base.first, "not-a-zip")
    yield case("seven-zip", b"7z\xbc\xaf\x27\x1c\0\4" + base.first, "not-a-zip")


def _torn(base: Base) -> Iterator[Case]:
    whole = written(base.parts())
    for name, length in {"quarter": len(whole) // 4, "half": len(whole) // 2}.items():
        yield case(f"torn-{name}", whole[:length], "truncated-archive")
    for missing in (1, 10, 21, 22, 60):
        yield case(f"torn-{missing}-bytes", whole[:-missing], "truncated-archive")
    yield case("torn-comment", written(base.parts(), comment=b"x" * 50)[:-20], "truncated-archive")
    yield case("only-a-signature", b"PK\x03\x04", "truncated-archive")
    yield case("lost-beginning", whole[len(whole) // 2 :], "damaged-archive")


def _tables(base: Base) -> Iterator[Case]:
    whole = written(base.parts())
    entries, size = len(SAMPLES), whole.rindex(b"PK\x05\x06") - whole.index(b"PK\x01\x02")
    yield case("no-entries", written([]), "nothing-usable")
    broken = bytearray(whole)
    broken[whole.index(b"PK\x01\x02")] = 0
    yield case("broken-entry", bytes(broken), "damaged-archive")
    for name, change in {
        "too-few-counted": {"here": entries - 1, "entries": entries - 1},
        "too-many-counted": {"here": entries + 1, "entries": entries + 1},
        "table-further-on": {"offset": len(whole)},
        "table-too-large": {"size": len(whole) + 1},
        "table-too-small": {"size": size - 10, "offset": 0},
    }.items():
        yield case(name, written(base.parts(), end=change), "damaged-archive")
    longer = written(base.parts(central={"extra": struct.pack("<2H", 0x9999, 0)}))
    cut = bytearray(longer)
    cut[longer.rindex(b"PK\x01\x02") + 30] = 0xFF
    yield case("entry-cut-off", bytes(cut), "damaged-archive")
    fake = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0)
    yield case("two-ends", written(base.parts(), comment=b"a comment " + fake), "damaged-archive")
    yield case("version-25", written(base.parts(central={"needed": 250})), "damaged-archive")
    yield case("disk-2", written(base.parts(), end={"disk": 1}), "split-archive")
    yield case("table-on-disk-2", written(base.parts(), end={"first": 1}), "split-archive")
    yield case("entries-elsewhere", written(base.parts(), end={"here": 2}), "split-archive")
    yield case("file-on-disk-2", written(base.parts(central={"disk": 1})), "split-archive")
    yield case("a-table-of-4-gib", written(base.parts(), end={"size": 0xFFFFFFFE}), "too-many-files")


def _zip64(base: Base) -> Iterator[Case]:
    def changed(name: str, code: str, **changes: dict[str, int | bytes]) -> Case:
        return case(name, written(base.parts(), zip64=True, **changes), code)  # type: ignore[arg-type]

    yield changed("zip64-locator-nowhere", "damaged-archive", locator={"at": 2**62})
    yield changed("zip64-locator-at-start", "damaged-archive", locator={"at": 0})
    yield changed("zip64-record-unsigned", "damaged-archive", end64={"signature": b"PK\x06\x00"})
    yield changed("zip64-record-too-long", "damaged-archive", end64={"length": 4400})
    yield changed("zip64-disagrees", "damaged-archive", end={"entries": 5, "here": 5})
    yield changed("zip64-offset-disagrees", "damaged-archive", end={"offset": 7})
    yield changed("zip64-table-before-the-file", "damaged-archive", end64={"size": 2**20})
    yield changed("zip64-three-disks", "split-archive", locator={"disks": 3})
    yield changed("zip64-locator-on-disk-2", "split-archive", locator={"disk": 1})
    yield changed("zip64-record-on-disk-2", "split-archive", end64={"disk": 1})
    yield changed("zip64-entries-elsewhere", "split-archive", end64={"here": 1})
    yield changed("zip64-a-million-entries", "too-many-files", end64={"here": 10**6, "entries": 10**6})
    yield changed("zip64-a-table-of-8-gib", "too-many-files", end64={"size": 2**33})


def _foreign(base: Base) -> Iterator[Case]:
    whole, script = written(base.parts()), b"#!/bin/sh\nexit 0\n"
    yield case("behind-a-script", written(base.parts(), prefix=script), "foreign-data")
    yield case("behind-a-script-unadjusted", script + whole, "foreign-data")
    yield case("behind-a-picture", written(base.parts(), prefix=base.first, adjusted=False), "foreign-data")
    yield case("behind-another-zip", whole + whole, "foreign-data")
    yield case("before-text", whole + b"more", "foreign-data")
    yield case("before-zeros", whole + bytes(512), "foreign-data")
    yield case("gap", written(base.parts(stray=b"hidden between files")), "foreign-data")
    yield case("gap-behind-descriptor", written(base.parts(descriptor="signed", stray=b"hidden")), "foreign-data")
    yield case("gap-before-table", written(base.parts(), before_directory=b"hidden"), "foreign-data")
    yield case("unlisted-file", written([*base.parts(), HIDDEN]), "foreign-data")
    yield case("unlisted-first-file", written([HIDDEN, *base.parts()]), "foreign-data")


def _overlapping(base: Base) -> Iterator[Case]:
    bomb = "overlapping-files", "nothing-usable"
    shared = Part(name=path_of(SAMPLES[0]), content=base.first, listed=40)
    yield case("shared-bytes", written([shared]), *bomb)
    yield case("shared-bytes-among-others", written(base.parts(listed=2)), *bomb)
    inner = Part(name=path_of(SAMPLES[1]), content=base.first, method=0)
    outer = written([inner])
    kernel = outer[: outer.index(b"PK\x01\x02")]
    quoting = Part(name=path_of(SAMPLES[0]), content=kernel, method=0)
    within = 30 + len(path_of(SAMPLES[0]))
    listed = Part(name=inner.name, content=base.first, method=0, central={"offset": within})
    nested = written([quoting, listed])
    yield case("a-file-in-a-file", nested, *bomb)
    yield case("data-into-the-next", written(base.parts(central={"packed": len(base.first) + 60})), *bomb)
