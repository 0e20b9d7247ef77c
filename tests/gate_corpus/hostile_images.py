"""Archives in order whose files are not the images that they should be."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from tests.gate_corpus import pictures
from tests.gate_corpus.base import Base, case
from tests.gate_corpus.benchmark import SAMPLES, Case, official_path_of, path_of
from tests.gate_corpus.pictures import chunk, image, png, rows_of, saved, with_alpha
from tests.gate_corpus.zips import Part, written

TABLETOP = SAMPLES[2]
ROOM = SAMPLES[3]


def hostile_images(base: Base) -> Iterator[Case]:
    """Names against the benchmark, then contents."""
    yield from _unexpected(base)
    yield from _misplaced(base)
    yield from _no_images(base)
    yield from _damaged(base)
    yield from _sizes(base)
    yield from _kinds(base)


def _unexpected(base: Base) -> Iterator[Case]:
    for name in ("README.md", "gsi-real/x.gif", "gsi-real/picture", "gsi-real/x.png.txt", "results.json", ".hidden"):
        yield case(
            f"unexpected-{name.replace('/', '-')}",
            written(base.parts(Part(name=name, content=b"x"))),
            "unexpected-file",
        )
    for name in (SAMPLES[0][:-1], SAMPLES[0] + "_rgb", SAMPLES[0] + " ", "other_edit_0", SAMPLES[0] + ".png"):
        more = Part(name=f"gsi-real/{name}.png", content=base.first)
        yield case(f"unknown-{name.strip()}-{len(name)}", written(base.parts(more)), "unknown-sample")
    more = Part(name="generated_images_fine/other_edit_0.png", content=base.first)
    yield case("unknown-official", written(base.parts(more)), "unknown-sample")


def _misplaced(base: Base) -> Iterator[Case]:
    for name, path in {
        "at-the-top": f"{SAMPLES[0]}.png",
        "other-subset": f"gsi-syn-room/{SAMPLES[0]}.png",
        "other-data-set": f"generated_images_mesatask/{SAMPLES[0]}.png",
        "deeper": f"gsi-real/images/{SAMPLES[0]}.png",
        "data-set-alone": f"fine/{SAMPLES[0]}.png",
        "subset-as-data-set": f"generated_images_gsi-real/{SAMPLES[0]}.png",
    }.items():
        yield case(f"folder-{name}", written(base.parts(name=path)), "wrong-folder")
    two = [Part(name=f"a/b/{path_of(sample)}", content=content) for sample, content in base.pictures.items()]
    yield case("two-wrappers", written(two), "wrong-folder", "nothing-usable")
    for name, path in {"jpg": path_of(SAMPLES[0], ".jpg"), "official": official_path_of(SAMPLES[0])}.items():
        yield case(f"twice-{name}", written(base.parts(Part(name=path, content=base.first))), "duplicate-sample")
    evaluation = Part(name="fine_eval/infer_cache.json", content=b"{}")
    yield case("only-an-evaluation", written([evaluation]), "nothing-usable")


def _no_images(base: Base) -> Iterator[Case]:
    picture = image(base.rng)
    for format in ("GIF", "BMP", "TIFF", "ICO", "PPM", "TGA"):
        yield case(f"content-{format.lower()}", base.with_first(saved(picture, format)), "not-an-image")
    for name, content in {
        "text": b"I am a text file, whatever my name says.\n" * 20,
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="24" height="16"/>',
        "html": b"<html><script>alert(1)</script></html>",
        "zip": written([Part(name="a.png", content=base.first)]),
        "heic": b"\0\0\0\x18ftypheic" + bytes(40),
        "jpeg-2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
        "zeros": bytes(300),
    }.items():
        yield case(f"content-{name}", base.with_first(content), "not-an-image")
    yield case("all-text", written([Part(name=path_of(SAMPLES[0]), content=b"x")]), "not-an-image", "nothing-usable")


def _damaged(base: Base) -> Iterator[Case]:
    picture = image(base.rng)
    for format in ("PNG", "JPEG", "WEBP"):
        content = saved(picture, format)
        for name, length in {"header": 30, "half": len(content) // 2, "most": len(content) - 30}.items():
            yield case(f"cut-{format.lower()}-{name}", base.with_first(content[:length]), "damaged-image")
    content = base.first
    yield case("png-without-end", base.with_first(content[:-12]), "damaged-image")
    yield case("png-of-a-signature", base.with_first(content[:8]), "damaged-image")
    flipped = bytearray(content)
    flipped[content.index(b"IDAT") + 40] ^= 0xFF
    yield case("png-flipped", base.with_first(bytes(flipped)), "damaged-image")
    header = bytearray(content)
    header[30] ^= 0xFF
    yield case("png-wrong-header-checksum", base.with_first(bytes(header)), "damaged-image")
    pixels = np.asarray(picture)
    yield case("png-too-few-rows", base.with_first(png(rows_of(pixels[:-1]))), "damaged-image")
    rows = pictures.interlaced_rows(pixels)[:-20]
    yield case("png-too-few-passes", base.with_first(png(rows, interlaced=True)), "damaged-image")
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20 * 1024 * 1024), 9))
    yield case("png-text-bomb", base.with_first(png(rows_of(pixels), more=bomb)), "damaged-image")
    many = chunk(b"tEXt", b"a\0" + base.rng.bytes(500_000)) * 20
    yield case("png-much-text", base.with_first(png(rows_of(pixels), more=many)), "damaged-image")


def _sizes(base: Base) -> Iterator[Case]:
    for name, size in {"smaller": (12, 8), "larger": (48, 32), "turned": (16, 24), "one-more": (25, 16)}.items():
        for format in ("PNG", "JPEG", "WEBP"):
            content = saved(image(base.rng, size), format)
            yield case(f"size-{name}-{format.lower()}", base.with_first(content), "wrong-size")
    for width, height in ((30_000, 30_000), (2**31 - 1, 1), (16_000, 12_000)):
        yield case(f"png-of-{width}", base.with_first(png(b"", size=(width, height))), "wrong-size")
    picture = image(base.rng)
    yield case("huge-jpeg", base.with_first(pictures.huge_jpeg(picture), ".jpg"), "wrong-size")
    yield case("huge-webp", base.with_first(pictures.huge_webp(picture), ".webp"), "wrong-size")


def _kinds(base: Base) -> Iterator[Case]:
    picture, other = image(base.rng), image(base.rng)
    for format, options in {"PNG": {}, "WEBP": {"lossless": True}, "MPO": {}}.items():
        content = saved(picture, format, save_all=True, append_images=[other], **options)
        yield case(f"animated-{format.lower()}", base.with_first(content), "several-pictures")
    yield case("cmyk", base.with_first(saved(picture.convert("CMYK"), "JPEG"), ".jpg"), "unsupported-colours")
    for name, content in {
        "rgba": saved(with_alpha(picture, 254)),
        "grey": saved(with_alpha(picture, 0).convert("LA")),
        "webp": saved(with_alpha(picture, 0), "WEBP", lossless=True),
        "palette": saved(picture.quantize(8), transparency=0),
        "key": saved(picture, transparency=picture.getpixel((2, 2))),
        "sixteen": pictures.sixteen(base.rng, channels=1, more=chunk(b"tRNS", struct.pack(">H", 77))),
        "sixteen-rgb": pictures.sixteen(base.rng, channels=3, more=chunk(b"tRNS", struct.pack(">3H", 7, 7, 7))),
    }.items():
        yield case(f"transparent-{name}", base.with_first(content), "transparent")
    for format, orientation in (("JPEG", 2), ("JPEG", 6), ("JPEG", 8), ("PNG", 3), ("WEBP", 5)):
        content = pictures.with_orientation(picture, format, orientation)
        yield case(f"turned-{format.lower()}-{orientation}", base.with_first(content), "rotated-by-tag")
    yield case("many-scans", base.with_first(pictures.jpeg_of_many_scans(picture, 250), ".jpg"), "too-many-scans")
    several = base.parts(Part(name="../x", content=b"x"), Part(name="notes.txt", content=b"x"), content=b"no image")
    yield case("several-defects", written(several), "parent-path", "unexpected-file", "not-an-image")
