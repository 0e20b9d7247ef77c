"""Decodes one participant's picture under stated rules, or says what keeps it from being scored.

Rules: PNG, JPEG and WebP by content, one picture a file, exactly the original's size. Pixels are taken as stored, as
sRGB: embedded colour profiles and gamma are not applied. Grey and palette images become RGB; of 16 bits the upper 8
are used (warning); an opaque alpha channel is dropped, transparency refused; CMYK and other colours are refused; an
EXIF orientation other than upright is refused, for viewers disagree about it.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from scorer.contract import Defect, Sample
from scorer.gate.defects import defect

Pixels = npt.NDArray[np.uint8]
Format = Literal["PNG", "JPEG", "WEBP"]

FORMATS: tuple[Format, ...] = ("PNG", "JPEG", "WEBP")
_FORMAT_OF_SUFFIX: dict[str, Format] = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_ORIENTATION_TAG = 0x0112
_PLAIN_MODES = {"RGB", "L", "1", "P"}
_ALPHA_MODES = {"RGBA", "LA", "PA"}
_SIXTEEN_BIT_MODES = {"I;16", "I;16B", "I;16L", "I"}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH_AT = 24


@dataclass(frozen=True, eq=False)
class Picture:
    """A usable image. ``pixels``: RGB (height, width, 3) uint8; ``warnings``: what its owner should know."""

    pixels: Pixels
    format: Format
    warnings: tuple[Defect, ...] = ()


class _RefusedError(Exception):
    def __init__(self, found: Defect) -> None:
        super().__init__(found.code)
        self.defect = found


def decode(content: bytes, *, name: str, sample: Sample) -> Picture | Defect:
    """The picture in ``content``, or the defect that makes it unusable. Never raises for what a file contains.

    The size is compared with the sample's before any pixel is decoded, so a picture costs no more than its original.
    """
    with warnings.catch_warnings():
        # Pillow warns about oddities in metadata, which is ignored here.
        warnings.simplefilter("ignore")
        try:
            return _decode(content, name=name, sample=sample)
        except _RefusedError as refusal:
            return refusal.defect
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - decoders raise anything on hostile bytes, from KeyError to struct.error
            return defect("damaged-image", file=name)


def _decode(content: bytes, *, name: str, sample: Sample) -> Picture:
    image = _opened(content, name=name, sample=sample)
    kind = _require_still(image, name=name)
    if image.size != (sample.width, sample.height):
        raise _wrong_size(image.size, name=name, sample=sample)
    image.load()
    _require_upright(image, name=name)
    notes = []
    suffix = PurePosixPath(name).suffix.lower()
    if _FORMAT_OF_SUFFIX.get(suffix) != kind:
        notes.append(defect("format-mismatch", file=name, suffix=suffix, format=kind))
    if _has_sixteen_bits(content, image):
        notes.append(defect("sixteen-bit", file=name))
    return Picture(_to_rgb(image, name=name), kind, tuple(notes))


def _opened(content: bytes, *, name: str, sample: Sample) -> ImageFile.ImageFile:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        code = "damaged-image" if _begins_like_an_image(content) else "not-an-image"
        raise _RefusedError(defect(code, file=name)) from error
    except Image.DecompressionBombError as error:  # more than any original has: its header alone says how large
        raise _wrong_size(_size_in_header(content), name=name, sample=sample) from error


def _size_in_header(content: bytes) -> tuple[int, int]:
    """Width and height that a PNG, WebP or JPEG claims; decodes nothing."""
    if content.startswith(_PNG_SIGNATURE):
        return PngImageFile(io.BytesIO(content)).size
    if content.startswith(b"RIFF"):
        return WebPImageFile(io.BytesIO(content)).size
    return JpegImageFile(io.BytesIO(content)).size


def _wrong_size(size: tuple[int, int], *, name: str, sample: Sample) -> _RefusedError:
    width, height = size
    expected = {"expected_width": sample.width, "expected_height": sample.height}
    return _RefusedError(defect("wrong-size", file=name, width=width, height=height, **expected))


def _begins_like_an_image(content: bytes) -> bool:
    return content.startswith((_PNG_SIGNATURE, b"\xff\xd8\xff")) or (content[:4], content[8:12]) == (b"RIFF", b"WEBP")


def _require_still(image: ImageFile.ImageFile, *, name: str) -> Format:
    """The format of a single still picture. A JPEG with further pictures behind it opens as MPO."""
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 or bool(getattr(image, "is_animated", False)):
        raise _RefusedError(defect("several-pictures", file=name, frames=frames))
    match image.format:
        case "PNG":
            return "PNG"
        case "WEBP":
            return "WEBP"
        case "JPEG" | "MPO":
            return "JPEG"
        case _:
            raise _RefusedError(defect("not-an-image", file=name))


def _require_upright(image: Image.Image, *, name: str) -> None:
    orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    if orientation not in (0, 1):
        raise _RefusedError(defect("rotated-by-tag", file=name, orientation=str(orientation)))


def _has_sixteen_bits(content: bytes, image: Image.Image) -> bool:
    if image.mode in _SIXTEEN_BIT_MODES:
        return True
    return content.startswith(_PNG_SIGNATURE) and content[_PNG_DEPTH_AT] == 16


def _to_rgb(image: Image.Image, *, name: str) -> Pixels:
    if image.mode in _SIXTEEN_BIT_MODES:
        grey = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _flattened(image, name=name)
    if image.mode not in _PLAIN_MODES:
        raise _RefusedError(defect("unsupported-colours", file=name, mode=image.mode))
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _flattened(image: Image.Image, *, name: str) -> Pixels:
    pixels = np.array(image.convert("RGBA"), dtype=np.uint8)
    if (pixels[:, :, 3] != 255).any():
        raise _RefusedError(defect("transparent", file=name))
    return np.ascontiguousarray(pixels[:, :, :3])
