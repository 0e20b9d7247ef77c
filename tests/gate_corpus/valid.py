"""Archives that the gate accepts, with the warnings that it must give."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from PIL import ImageCms

from tests.gate_corpus import pictures
from tests.gate_corpus.base import Base, case
from tests.gate_corpus.benchmark import SAMPLES, Case, official_path_of, path_of
from tests.gate_corpus.pictures import chunk, image, png, rows_of, saved, with_alpha
from tests.gate_corpus.zips import Part, written


def valid(base: Base) -> Iterator[Case]:
    """Every picture, layout and form of zip that is allowed."""
    for name, content in _pictures(base).items():
        yield case(f"picture-{name}", base.with_first(content), warnings=())
    for name, content in _jpegs(base).items():
        yield case(f"picture-{name}", base.with_first(content, ".jpg"), warnings=())
    for name, content in _webps(base).items():
        yield case(f"picture-{name}", base.with_first(content, ".webp"), warnings=())
    yield from _warned(base)
    yield from _layouts(base)
    yield from _litter(base)
    yield from _incomplete(base)
    yield from _zips(base)
    yield from _by_the_library(base)


def _pictures(base: Base) -> Mapping[str, bytes]:
    picture = image(base.rng)
    pixels = np.asarray(picture)
    return {
        "rgb": saved(picture),
        "rgb-quick": saved(picture, compress_level=1),
        "grey": saved(picture.convert("L")),
        "black-and-white": saved(picture.convert("1")),
        "palette-256": saved(picture.quantize(256)),
        "palette-4": saved(picture.quantize(4)),
        "opaque-alpha": saved(with_alpha(picture, 255)),
        "opaque-grey-alpha": saved(with_alpha(picture, 255).convert("LA")),
        "key-of-no-pixel": saved(picture.point(lambda value: value | 1), transparency=(0, 0, 0)),
        "interlaced": png(pictures.interlaced_rows(pixels), interlaced=True),
        "black": saved(picture.point(lambda value: 0)),
        "interlaced-grey": png(pictures.interlaced_rows(pixels[:, :, :1]), colour=0, interlaced=True),
        "text": png(rows_of(pixels), more=chunk(b"tEXt", b"Comment\0made by a model")),
        "gamma": png(rows_of(pixels), more=chunk(b"gAMA", struct.pack(">I", 45455))),
        "many-chunks": png(rows_of(pixels), more=chunk(b"tIME", b"\x07\xea\1\1\1\1\1") + chunk(b"pHYs", bytes(9))),
        "srgb-profile": saved(picture, icc_profile=_srgb_profile()),
        "upright": pictures.with_orientation(picture, "PNG", 1),
        "more-behind-the-end": saved(picture) + b"more",
    }


def _srgb_profile() -> bytes:
    """The usual one, without the hour at which it was made."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + bytes(12) + made[36:]


def _jpegs(base: Base) -> Mapping[str, bytes]:
    picture = image(base.rng)
    ways: Mapping[str, Mapping[str, Any]] = {
        "quality-30": {"quality": 30},
        "quality-95": {"quality": 95},
        "444": {"subsampling": 0},
        "progressive": {"progressive": True},
        "optimized": {"optimize": True},
        "commented": {"comment": b"made by a model"},
    }
    made = {f"jpeg-{name}": saved(picture, "JPEG", **options) for name, options in ways.items()}
    made["jpeg-grey"] = saved(picture.convert("L"), "JPEG")
    return made | {"jpeg-upright": pictures.with_orientation(picture, "JPEG", 1)}


def _webps(base: Base) -> Mapping[str, bytes]:
    picture = image(base.rng)
    return {
        "webp-lossy": saved(picture, "WEBP"),
        "webp-lossless": saved(picture, "WEBP", lossless=True),
        "webp-opaque": saved(with_alpha(picture, 255), "WEBP", lossless=True),
        "webp-upright": pictures.with_orientation(picture, "WEBP", 1),
    }


def _warned(base: Base) -> Iterator[Case]:
    picture = image(base.rng)
    for name, channels in {"grey": 1, "rgb": 3}.items():
        content = pictures.sixteen(base.rng, channels=channels)
        yield case(f"sixteen-{name}", base.with_first(content), warnings=["sixteen-bit"])
    profile = b"a profile of another colour space".ljust(200, b"\0")
    yield case("other-profile", base.with_first(saved(picture, icc_profile=profile)), warnings=["colour-profile"])
    inside = chunk(b"iCCP", b"x\0\0" + zlib.compress(profile))
    content = png(rows_of(np.asarray(picture)), more=inside)
    yield case("other-profile-png", base.with_first(content), warnings=["colour-profile"])
    for format, suffix in (("JPEG", ".png"), ("PNG", ".jpg"), ("WEBP", ".jpeg"), ("PNG", ".webp")):
        content = base.with_first(saved(picture, format), suffix)
        yield case(f"{format.lower()}-as-{suffix[1:]}", content, warnings=["format-mismatch"])


def _layouts(base: Base) -> Iterator[Case]:
    for suffix in (".PNG", ".Png"):
        parts = [Part(name=path_of(sample, suffix), content=content) for sample, content in base.pictures.items()]
        yield case(f"ending-{suffix[1:]}", written(parts), warnings=())
    for suffix in (".JPG", ".JPEG", ".jpeg"):
        content = base.with_first(saved(image(base.rng), "JPEG"), suffix)
        yield case(f"ending-{suffix[1:]}-jpeg", content, warnings=())
    official = [Part(name=official_path_of(sample), content=content) for sample, content in base.pictures.items()]
    yield case("official", written(official), warnings=())
    yield case("both-layouts", written([*official[:3], *base.parts()[3:]]), warnings=())
    for index, wrapper in enumerate(("My_Model", "my model v1.0", "Modèle", "模型", "gsi-real")):
        for layout, path in (("subsets", path_of), ("official", official_path_of)):
            parts = [Part(name=f"{wrapper}/{path(one)}", content=content) for one, content in base.pictures.items()]
            yield case(f"wrapped-{index}-{layout}", written(parts), warnings=())
    dos = b"Mod\x8ale/"
    parts = [Part(name=dos + path_of(one).encode(), content=content) for one, content in base.pictures.items()]
    yield case("wrapped-in-code-page-437", written(parts), warnings=())


def _litter(base: Base) -> Iterator[Case]:
    for index, name in enumerate(("__MACOSX/._x.png", ".DS_Store", "gsi-real/Thumbs.db", "desktop.ini", "a/._b.png")):
        content = written(base.parts(Part(name=name, content=b"x")))
        yield case(f"litter-{index}", content, warnings=["ignored-file"])
    evaluations = [
        Part(name=f"My_Model/{one}", content=b"{}") for one in ("fine_eval/infer_cache.json", "mesatask_eval/a/b.json")
    ]
    images = [Part(name=f"My_Model/{official_path_of(one)}", content=made) for one, made in base.pictures.items()]
    yield case("official-with-evaluations", written(images + evaluations), warnings=["ignored-evaluation"])
    folders = [
        Part(name=name, mode=0o40755, method=method) for name, method in (("gsi-real/", 0), ("gsi-syn-room/", 8))
    ]
    yield case("folders-of-their-own", written(base.parts(*folders)), warnings=())


def _incomplete(base: Base) -> Iterator[Case]:
    parts = base.parts()
    yield case("one-missing", written(parts[1:]), warnings=["missing-sample"])
    yield case("subset-missing", written([*parts[:2], *parts[3:]]), warnings=["missing-subset"])
    yield case("one-alone", written(parts[:1]), warnings=["missing-sample", "missing-subset"])


def _zips(base: Base) -> Iterator[Case]:
    for descriptor in ("signed", "bare", "signed64", "bare64"):
        yield case(f"descriptor-{descriptor}", written(base.parts(descriptor=descriptor)), warnings=())
    extra = b"UT\x05\0\3" + bytes(4)
    for name, changes in {
        "stored": {"method": 0},
        "quick": {"level": 1},
        "thorough": {"level": 9},
        "zip64-entry": {"zip64": True},
        "zip64-descriptor": {"zip64": True, "descriptor": "signed64"},
        "extra-fields": {"local": {"extra": extra}, "central": {"extra": extra}},
        "entry-comment": {"comment": b"the best one"},
        "utf-8": {"flags": 0x800},
        "maximum": {"flags": 0x2},
        "dos": {"mode": 0, "central": {"system": 0}},
        "two-blocks": {"packed": _two_blocks(base.first)},
    }.items():
        yield case(f"zip-{name}", written(base.parts(**changes)), warnings=())
    yield case("zip-comment", written(base.parts(), comment=b"from our lab"), warnings=())
    yield case("zip-longest-comment", written(base.parts(), comment=b"x" * 65535), warnings=())
    yield case("zip-comment-of-a-zip", written(base.parts(), comment=b"PK\x05\x06 is the end"), warnings=())
    yield case("zip64", written(base.parts(), zip64=True), warnings=())
    yield case("zip64-comment", written(base.parts(), zip64=True, comment=b"large"), warnings=())


def _two_blocks(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (
        packer.compress(content[:99]) + packer.flush(zlib.Z_FULL_FLUSH) + packer.compress(content[99:]) + packer.flush()
    )


class _OneWay(io.RawIOBase):
    """A stream that cannot seek, like a pipe."""

    def __init__(self) -> None:
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += data
        return len(data)


def _by_the_library(base: Base) -> Iterator[Case]:
    """As Python's own library writes them, to a file and to a pipe."""
    for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}.items():
        seekable, pipe = io.BytesIO(), _OneWay()
        for stream in (seekable, pipe):
            with zipfile.ZipFile(stream, "w", method) as archive:  # type: ignore[call-overload]
                for sample, content in base.pictures.items():
                    with archive.open(zipfile.ZipInfo(path_of(sample)), "w", force_zip64=sample == SAMPLES[1]) as file:
                        file.write(content)
        yield case(f"library-{name}", seekable.getvalue(), warnings=())
        yield case(f"library-pipe-{name}", bytes(pipe.content), warnings=())
