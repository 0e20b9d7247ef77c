from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scorer.contract import BenchmarkManifest, Defect
from scorer.gate.images import Picture, decode
from tests.unit.scorer import folders

SAMPLE = BenchmarkManifest.model_validate(folders.benchmark()).samples[0]
SIZE = (folders.WIDTH, folders.HEIGHT)
RGB = np.random.default_rng(0).integers(0, 256, (folders.HEIGHT, folders.WIDTH, 3), dtype=np.uint8)


def saved(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=format, **options)
    return stream.getvalue()


def picture(content: bytes, name: str = "s/a.png") -> Picture:
    found = decode(content, name=name, sample=SAMPLE)
    assert isinstance(found, Picture), found
    assert (found.pixels.shape, found.pixels.dtype) == (RGB.shape, np.uint8)
    return found


def refused(content: bytes, name: str = "s/a.png") -> str:
    found = decode(content, name=name, sample=SAMPLE)
    assert isinstance(found, Defect), "it was accepted"
    assert found.file == name
    return found.code


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*, depth: int, colour: int, rows: bytes, size: tuple[int, int] = SIZE, more: bytes = b"") -> bytes:
    header = struct.pack(">2I5B", *size, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_a_lossless_picture_arrives_pixel_by_pixel(format):
    found = picture(saved(Image.fromarray(RGB), format, lossless=True), f"s/a.{format.lower()}")
    assert (found.pixels == RGB).all()
    assert (found.format, found.warnings) == (format, ())


def test_grey_becomes_rgb():
    grey = RGB[:, :, 0]
    assert (picture(saved(Image.fromarray(grey))).pixels == grey[:, :, None]).all()


def test_a_palette_becomes_its_colours():
    indexed = Image.fromarray(RGB).quantize(64)
    assert (picture(saved(indexed)).pixels == np.asarray(indexed.convert("RGB"))).all()


def test_black_and_white_becomes_rgb():
    plain = Image.fromarray(RGB[:, :, 0] > 127)
    assert set(np.unique(picture(saved(plain)).pixels)) == {0, 255}


def test_of_16_bits_the_upper_8_are_used_with_a_warning():
    grey = np.random.default_rng(1).integers(0, 2**16, RGB.shape[:2], dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in grey)
    found = picture(png(depth=16, colour=0, rows=rows))
    assert (found.pixels == (grey >> 8)[:, :, None]).all()
    assert [warning.code for warning in found.warnings] == ["sixteen-bit"]


def test_sixteen_bits_of_colour_are_treated_alike():
    colours = np.random.default_rng(1).integers(0, 2**16, RGB.shape, dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in colours)
    found = picture(png(depth=16, colour=2, rows=rows))
    assert (found.pixels == colours >> 8).all()
    assert [warning.code for warning in found.warnings] == ["sixteen-bit"]


def test_an_opaque_alpha_channel_is_dropped():
    opaque = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    assert (picture(saved(Image.fromarray(opaque))).pixels == RGB).all()


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_transparency_is_refused(format):
    alpha = np.full(RGB.shape[:2], 255, np.uint8)
    alpha[3, 4] = 254
    content = saved(Image.fromarray(np.dstack([RGB, alpha])), format, lossless=True)
    assert refused(content, f"s/a.{format.lower()}") == "transparent"


def test_a_transparent_palette_colour_is_refused():
    indexed = Image.fromarray(RGB).quantize(8)
    assert refused(saved(indexed, transparency=0)) == "transparent"


def test_cmyk_is_refused():
    assert refused(saved(Image.fromarray(RGB).convert("CMYK"), "JPEG"), "s/a.jpg") == "unsupported-colours"


@pytest.mark.parametrize("orientation", [2, 3, 6, 8])
def test_a_tag_that_asks_viewers_to_rotate_is_refused(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert refused(saved(Image.fromarray(RGB), "JPEG", exif=exif), "s/a.jpg") == "rotated-by-tag"


def test_an_upright_tag_is_fine():
    exif = Image.Exif()
    exif[0x0112] = 1
    picture(saved(Image.fromarray(RGB), "JPEG", exif=exif), "s/a.jpg")


def test_a_text_file_renamed_png_is_no_image():
    assert refused(b"I am a text file, whatever my name says.\n" * 20) == "not-an-image"


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF", "ICO"])
def test_other_formats_are_no_images_here(format):
    assert refused(saved(Image.fromarray(RGB), format)) == "not-an-image"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_cut_off_in_the_middle_is_damaged(format):
    content = saved(Image.fromarray(RGB), format)
    assert refused(content[: len(content) // 2], f"s/a.{format.lower()}") == "damaged-image"


def test_a_wrong_checksum_inside_a_png_is_damage():
    content = bytearray(saved(Image.fromarray(RGB)))
    content[content.index(b"IDAT") + 1000] ^= 0xFF
    assert refused(bytes(content)) == "damaged-image"


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_an_animation_is_refused(format):
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    content = saved(frames[0], format, save_all=True, append_images=frames[1:])
    assert refused(content, f"s/a.{format.lower()}") == "several-pictures"


def test_another_size_is_refused_with_both_sizes():
    found = decode(saved(Image.fromarray(RGB[:100])), name="s/a.png", sample=SAMPLE)
    assert isinstance(found, Defect)
    assert found.code == "wrong-size"
    assert "512 x 100" in found.message
    assert "512 x 384" in found.remedy


@pytest.mark.parametrize("size", [(30_000, 30_000), (12_000, 12_000), (16_000, 12_000), (2**31 - 1, 1)])
@pytest.mark.parametrize(("depth", "colour"), [(8, 2), (1, 0)])
def test_a_header_that_claims_an_enormous_picture_costs_nothing_and_its_size_is_told(depth, colour, size):
    content = png(depth=depth, colour=colour, rows=b"", size=size)
    assert refused(content) == "wrong-size"
    found = decode(content, name="s/a.png", sample=SAMPLE)
    assert isinstance(found, Defect)
    assert f"{size[0]} x {size[1]}" in found.message


def test_an_enormous_jpeg_is_told_its_size():
    content = bytearray(saved(Image.fromarray(RGB), "JPEG"))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">2H", 60_000, 65_000)
    found = decode(bytes(content), name="s/a.jpg", sample=SAMPLE)
    assert isinstance(found, Defect)
    assert found.code == "wrong-size"
    assert "65000 x 60000" in found.message


def test_a_bomb_in_a_text_chunk_does_no_harm():
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 * 1024 * 1024), 9))
    rows = b"".join(b"\0" + row.tobytes() for row in RGB)
    assert refused(png(depth=8, colour=2, rows=rows, more=bomb)) == "damaged-image"


def test_the_content_counts_when_the_name_says_something_else():
    found = picture(saved(Image.fromarray(RGB), "JPEG"), "s/a.png")
    assert found.format == "JPEG"
    assert [warning.code for warning in found.warnings] == ["format-mismatch"]
