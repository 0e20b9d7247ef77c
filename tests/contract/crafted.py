"""Picture files that no encoder writes, made to lead a decoder astray: lengths, sizes, tables and streams that lie."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Mapping

import numpy as np
from PIL import Image

SIDE = 48
_PIXELS = np.random.default_rng(7).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def encoded(format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(_PIXELS).save(stream, format=format, **options)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes, *, length: int | None = None) -> bytes:
    told = len(data) if length is None else length
    return struct.pack(">I", told & 0xFFFFFFFF) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes, size: tuple[int, int] = (SIDE, SIDE), depth: int = 8, colour: int = 2) -> bytes:
    header = chunk(b"IHDR", struct.pack(">2I5B", *size, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def idat(rows: bytes) -> bytes:
    return chunk(b"IDAT", zlib.compress(rows, 9))


def riff(*chunks: tuple[bytes, bytes], length: int | None = None) -> bytes:
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) if length is None else length) + body


def _rows(filter_type: int = 0) -> bytes:
    return b"".join(bytes([filter_type]) + row.tobytes() for row in _PIXELS)


def _changed(content: bytes, *, at: bytes, offset: int, to: bytes) -> bytes:
    place = content.index(at) + offset
    return content[:place] + to + content[place + len(to) :]


def _vp8l(body: bytes) -> bytes:
    """A lossless WebP of the right size whose stream goes on with ``body``."""
    return riff((b"VP8L", b"\x2f" + struct.pack("<I", (SIDE - 1) | (SIDE - 1) << 14) + body))


def _made() -> Mapping[str, bytes]:
    jpeg, webp, lossless = encoded("JPEG"), encoded("WEBP"), encoded("WEBP", lossless=True)
    bomb = bytes(64 * 2**20)
    return {
        "png-idat-bomb": png(idat(bomb)),
        "png-text-bomb": png(chunk(b"zTXt", b"a\0\0" + zlib.compress(bomb, 9)), idat(_rows())),
        "png-profile-bomb": png(chunk(b"iCCP", b"p\0\0" + zlib.compress(bomb, 9)), idat(_rows())),
        "png-ends-early": png(idat(_rows()[: SIDE * 40])),
        "png-no-rows": png(),
        "png-impossible-filter": png(idat(_rows(200))),
        "png-negative-length": png(chunk(b"IDAT", zlib.compress(_rows()), length=-1)),
        "png-endless-chunk": png(chunk(b"IDAT", zlib.compress(_rows()), length=2**31 - 1)),
        "png-broken-stream": png(chunk(b"IDAT", b"\x78\x9c" + random.Random(1).randbytes(4000))),
        "png-palette-too-short": png(chunk(b"PLTE", b"\0\0\0"), idat(b"\0" + b"\xff" * SIDE), colour=3),
        "png-no-palette": png(idat(b"".join(b"\0" + b"\xff" * SIDE for _ in range(SIDE))), colour=3),
        "png-unknown-depth": png(idat(_rows()), depth=7),
        "png-no-height": png(idat(_rows()), size=(SIDE, 0)),
        "png-many-text-chunks": png(chunk(b"tEXt", b"k\0v") * 20_000, idat(_rows())),
        "png-animation-without-frames": png(chunk(b"acTL", struct.pack(">2I", 2**31 - 1, 0)), idat(_rows())),
        "png-frame-outside": png(
            chunk(b"acTL", struct.pack(">2I", 2, 0)),
            chunk(b"fcTL", struct.pack(">5I2H2B", 0, 9999, 9999, 2**31 - 1, 2**31 - 1, 1, 1, 0, 0)),
            idat(_rows()),
        ),
        "jpeg-cut": jpeg[: len(jpeg) // 3],
        "jpeg-huge": _changed(jpeg, at=b"\xff\xc0", offset=5, to=struct.pack(">2H", 65_500, 65_500)),
        "jpeg-no-components": _changed(jpeg, at=b"\xff\xc0", offset=9, to=b"\0"),
        "jpeg-sampling-of-nothing": _changed(jpeg, at=b"\xff\xc0", offset=11, to=b"\0"),
        "jpeg-unknown-table": _changed(jpeg, at=b"\xff\xda", offset=6, to=b"\xff"),
        "jpeg-overfull-huffman-table": _changed(jpeg, at=b"\xff\xc4", offset=5, to=b"\xff" * 16),
        "jpeg-no-quantization": _changed(jpeg, at=b"\xff\xdb", offset=5, to=b"\0" * 64),
        "jpeg-only-fill-bytes": jpeg[:2] + b"\xff" * 200_000,
        "jpeg-marker-of-no-length": jpeg[:2] + b"\xff\xe1\0\0" + jpeg[2:],
        "jpeg-exif-in-circles": jpeg[:2]
        + b"\xff\xe1\0\x1eExif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0"
        + jpeg[2:],
        "jpeg-noise-for-a-scan": jpeg[: jpeg.index(b"\xff\xda") + 14] + random.Random(2).randbytes(60_000),
        "webp-cut": webp[: len(webp) // 2],
        "webp-length-lies": webp[:4] + struct.pack("<I", 2**32 - 10) + webp[8:],
        "webp-lossless-cut": lossless[:60],
        "webp-overfull-codes": _vp8l(b"\xff" * 3000),
        "webp-empty-codes": _vp8l(bytes(3000)),
        "webp-noise": _vp8l(random.Random(3).randbytes(8000)),
        "webp-cache-too-large": _vp8l(b"\x7f" + random.Random(4).randbytes(500)),
        "webp-canvas-lies": riff(
            (b"VP8X", b"\x10\0\0\0" + b"\xff\xff\xff" * 2), (b"VP8L", lossless[20:]), length=2**31
        ),
        "webp-frame-outside": riff(
            (b"VP8X", b"\x02\0\0\0" + struct.pack("<I", SIDE - 1)[:3] * 2),
            (b"ANIM", bytes(6)),
            (b"ANMF", b"\xff" * 16 + b"VP8L" + struct.pack("<I", 10) + b"\xff" * 10),
        ),
    }


def _mutated(count: int) -> Mapping[str, bytes]:
    """Good files with a few bytes changed, the same ones each time."""
    drawn = random.Random(11)
    goods = {
        "png": encoded("PNG"),
        "jpg": encoded("JPEG"),
        "webp": encoded("WEBP"),
        "webpl": encoded("WEBP", lossless=True),
    }
    found = {}
    for number in range(count):
        kind = drawn.choice(list(goods))
        content = bytearray(goods[kind])
        for _ in range(drawn.choice((1, 3, 30))):
            content[drawn.randrange(len(content))] = drawn.randrange(256)
        found[f"mutated-{number}-{kind}"] = bytes(content)
    return found


CRAFTED: Mapping[str, bytes] = {**_made(), **_mutated(60)}
"""Name → content. Each begins like a picture; what decoders make of it is theirs."""
EXTENSION = {"png": "png", "jpe": "jpg", "web": "webp"}
