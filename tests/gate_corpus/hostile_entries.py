"""Archives with entries that must not be taken for files, or lie about themselves."""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator

from tests.gate_corpus.base import Base, case
from tests.gate_corpus.benchmark import SAMPLES, Case, path_of
from tests.gate_corpus.zips import FULL32, Part, deflated, written

_PATHS = {
    "parent-path": ("../x.png", "gsi-real/../../x.png", "..", "gsi-real/..", "a/b/../x.png"),
    "absolute-path": ("/etc/passwd", "//server/x.png", "/", "C:/x.png", "c:x.png"),
    "backslash-path": ("\\x.png", "gsi-real\\x.png", "..\\..\\x.png", "C:\\x.png"),
    "strange-name": (
        *("./x.png", "a//b.png", "a/./b.png", "", "a/" + "x" * 600 + ".png", "a\nb.png", "a\0b.png", "a\x7fb.png"),
        *("a\u202egnp.x", "a\u200bb.png", "a\x1b[31mb.png", "\ufeffx.png"),
    ),
}
_METHODS = {"shrunk": 1, "imploded": 6, "deflate64": 9, "bzip2": 12, "lzma": 14, "zstandard": 93, "xz": 95, "ppmd": 98}
_LARGE = 40 * 1024 * 1024


def hostile_entries(base: Base) -> Iterator[Case]:
    """Paths, kinds, methods, lies, damage, repeated names."""
    for code, names in _PATHS.items():
        for index, name in enumerate(names):
            yield case(f"{code}-{index}", written(base.parts(Part(name=name, content=base.first))), code)
    invalid = Part(name=b"gsi-real/\xff\xfe.png", content=base.first, flags=0x800)
    yield case("name-of-no-encoding", written(base.parts(invalid)), "strange-name")
    yield from _kinds(base)
    yield from _lies(base)
    yield from _damage(base)
    yield from _sizes(base)
    yield from _repeated(base)


def _kinds(base: Base) -> Iterator[Case]:
    for name, target in {"absolute": b"/etc/passwd", "relative": b"../../x", "sibling": b"x.png"}.items():
        yield case(f"link-{name}", written(base.parts(content=target, mode=stat.S_IFLNK | 0o777)), "link")
    for name, kind in {
        "pipe": stat.S_IFIFO,
        "socket": stat.S_IFSOCK,
        "tty": stat.S_IFCHR,
        "disk": stat.S_IFBLK,
    }.items():
        yield case(f"special-{name}", written(base.parts(mode=kind | 0o644)), "special-file")
    yield case("folder-with-content", written(base.parts(Part(name="a/", content=b"x"))), "folder-with-content")
    for name, flags in {"plain": 0x1, "strong": 0x41, "header": 0x2000}.items():
        yield case(f"encrypted-{name}", written(base.parts(flags=flags)), "encrypted-file")
    yield case("encrypted-aes", written(base.parts(flags=0x1, method=99)), "encrypted-file")
    for name, method in _METHODS.items():
        yield case(f"method-{name}", written(base.parts(method=method)), "unsupported-compression")
    for suffix in ("zip", "tar.gz", "7z", "RAR"):
        nested = Part(name=f"gsi-real/more.{suffix}", content=base.first)
        yield case(f"nested-{suffix.lower()}", written(base.parts(nested)), "nested-archive")


def _lies(base: Base) -> Iterator[Case]:
    packed, other = len(deflated(base.first)), path_of(SAMPLES[1]).encode()
    for name, local in {
        "name": {"name": b"gsi-real/other.png"},
        "case-of-name": {"name": path_of(SAMPLES[0]).upper().encode()},
        "another-sample": {"name": other},
        "method": {"method": 0},
        "checksum": {"crc": 1},
        "packed-size": {"packed": packed + 1},
        "size": {"size": len(base.first) + 1},
        "encryption": {"flags": 1},
        "flag-of-a-descriptor": {"flags": 8},
        "signature": {"signature": b"PK\x03\x05"},
        "zip64-size": {"size": FULL32, "packed": FULL32, "extra": b"\1\0\x10\0" + bytes(16)},
    }.items():
        yield case(f"lying-{name}", written(base.parts(local=local)), "lying-header")
    record = b"PK\x07\x08" + bytes(12)
    yield case("lying-descriptor", written(base.parts(descriptor="signed", tail=record)), "lying-header")
    yield case("no-descriptor", written(base.parts(descriptor="signed", tail=b"")), "lying-header")
    yield case("half-a-descriptor", written(base.parts(descriptor="signed", tail=record[:9])), "lying-header")
    for name, size in {"understated": len(base.first) - 1, "one-byte": 1}.items():
        fields = {"size": size}
        yield case(f"lying-{name}", written(base.parts(local=fields, central=fields)), "lying-header")
    fields = {"size": len(base.first) + 5}
    yield case("stored-of-two-sizes", written(base.parts(method=0, local=fields, central=fields)), "lying-header")
    bomb = {"content": bytes(_LARGE), "local": {"size": 1000}, "central": {"size": 1000}}
    yield case("lying-bomb", written(base.parts(**bomb)), "lying-header")


def _damage(base: Base) -> Iterator[Case]:
    packed = deflated(base.first)
    wrong = {"crc": zlib.crc32(base.first) ^ 1}
    yield case("wrong-checksum", written(base.parts(local=wrong, central=wrong)), "damaged-file")
    yield case("wrong-checksum-stored", written(base.parts(method=0, local=wrong, central=wrong)), "damaged-file")
    longer = {"size": len(base.first) + 100}
    yield case("shorter-than-said", written(base.parts(local=longer, central=longer)), "damaged-file")
    yield case("cut-stream", written(base.parts(packed=packed[:-20])), "damaged-file")
    yield case("more-than-the-stream", written(base.parts(packed=packed + b"hidden")), "damaged-file")
    yield case("no-stream", written(base.parts(packed=b"\xff" * 60)), "damaged-file")
    flipped = bytearray(base.first)
    flipped[60] ^= 0x10
    yield case("flipped-bit", written(base.parts(packed=deflated(bytes(flipped)))), "damaged-file")
    for name, offset in {"just": 10**6, "far": 2**40, "overflow": 2**64 - 1}.items():
        extra = b"\1\0\x08\0" + offset.to_bytes(8, "little")
        part = base.parts(central={"offset": FULL32, "extra": extra})
        yield case(f"outside-{name}", written(part), "damaged-file")


def _sizes(base: Base) -> Iterator[Case]:
    yield case("empty-file", written(base.parts(content=b"")), "empty-file")
    yield case("empty-file-stored", written(base.parts(content=b"", method=0)), "empty-file")
    yield case("bomb", written(base.parts(content=bytes(_LARGE))), "suspicious-compression")
    yield case("small-bomb", written(base.parts(content=bytes(2 * 1024 * 1024))), "suspicious-compression")
    large = {"size": _LARGE}
    noise = base.rng.bytes(500_000)
    parts = base.parts(content=noise, method=8, level=0, local=large, central=large)
    yield case("large-file", written(parts), "file-too-large")
    extra = b"\1\0\x10\0" + (2**33).to_bytes(8, "little") * 2
    fields = {"size": FULL32, "packed": FULL32}
    parts = base.parts(central={**fields, "extra": extra}, local={**fields, "extra": extra})
    yield case("eight-gib-said", written(parts), "damaged-file")


def _repeated(base: Base) -> Iterator[Case]:
    again = Part(name=path_of(SAMPLES[0]), content=base.first)
    yield case("same-name-twice", written(base.parts(again)), "duplicate-name")
    yield case("same-name-thrice", written(base.parts(again, again)), "duplicate-name")
    shouted = Part(name=path_of(SAMPLES[0]).upper(), content=base.first)
    yield case("other-case", written(base.parts(shouted)), "colliding-name")
    folders = [Part(name=name) for name in ("Cafe\u0301/", "Caf\u00e9/")]
    yield case("other-composition", written(base.parts(*folders)), "colliding-name")
    folders = [Part(name=name) for name in ("stra\u00dfe/", "STRASSE/")]
    yield case("other-folding", written(base.parts(*folders)), "colliding-name")
    folders = [Part(name=name) for name in ("\uff41/", "a/")]
    yield case("full-width", written(base.parts(*folders)), "colliding-name")
    both = [Part(name="x/"), Part(name="x", content=b"y")]
    yield case("file-and-folder", written(base.parts(*both)), "colliding-name")
