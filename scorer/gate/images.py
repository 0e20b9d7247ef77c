"""Decodes one participant's picture under stated rules, or says what keeps it from being scored.

Rules: PNG, JPEG and WebP by content, one picture a file, exactly the original's size, whole. An EXIF orientation other
than upright is refused, for viewers disagree about it. Those of colours are in ``scorer.gate.colours``; all of them in
words in ``docs/gate.md``.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from scorer.contract import Defect, Sample
from scorer.gate import colours, formats, png
from scorer.gate.colours import Pixels
from scorer.gate.defects import Fact, defect
from scorer.gate.formats import FORMATS, Format
from scorer.gate.limits import MEBIBYTE, MOST_PIXELS
from scorer.gate.quiet import NoWarnings

__all__ = ["FORMATS", "Format", "Looked", "Picture", "Pixels", "decode", "look"]

PngImagePlugin.MAX_TEXT_MEMORY = 8 * MEBIBYTE
"""Of text in one PNG, unpacked; Pillow's own bound is that of a large picture."""

_ORIENTATION_TAG = 0x0112
_quiet = NoWarnings()  # Pillow warns about oddities in metadata, which is ignored here

Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class Picture:
    """A usable image. ``pixels``: RGB (height, width, 3) uint8; ``warnings``: what its owner should know."""

    pixels: Pixels
    format: Format
    warnings: tuple[Defect, ...] = ()


class Looked(NamedTuple):
    """What is known of a usable image without its pixels."""

    format: Format
    warnings: tuple[Defect, ...]


class _RefusedError(Exception):
    def __init__(self, code: str, **facts: Fact) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def decode(content: bytes, *, name: str, sample: Sample) -> Picture | Defect:
    """The picture in ``content``, or the defect that makes it unusable. Never raises for what a file contains.

    The size is compared with the sample's before any pixel is decoded, so a picture costs no more than its original.
    """

    def picture() -> Picture:
        image, looked = _checked(content, name=name, sample=sample)
        return Picture(colours.to_rgb(image), *looked)

    return _answer(picture, name=name)


def look(content: bytes, *, name: str, sample: Sample) -> Looked | Defect:
    """The same answer as :func:`decode` without the pixels, which are decoded all the same and dropped."""
    return _answer(lambda: _checked(content, name=name, sample=sample)[1], name=name)


def _answer(work: Callable[[], Answer], *, name: str) -> Answer | Defect:
    with _quiet:
        try:
            return work()
        except _RefusedError as refusal:
            return defect(refusal.code, file=name, **refusal.facts)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - decoders raise anything on hostile bytes, from KeyError to struct.error
            return defect("damaged-image", file=name)


def _checked(content: bytes, *, name: str, sample: Sample) -> tuple[Image.Image, Looked]:
    """The decoded picture, once every rule but that of turning it into RGB has been applied."""
    kind = formats.format_of(content)
    if kind == "WEBP":  # its decoder sets memory aside for the whole picture at once
        _require_size(formats.size_in_header(content), sample)
    image = _opened(content, sample)
    _require_still(image)
    _require_size(image.size, sample)
    if (passes := formats.scans(content)) > formats.MOST_SCANS:
        raise _RefusedError("too-many-scans", count=passes, limit=formats.MOST_SCANS)
    image.load()
    orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    if orientation not in (0, 1):
        raise _RefusedError("rotated-by-tag", orientation=str(orientation))
    if kind is None or (kind == "PNG" and not png.is_whole(content, image)):
        raise _RefusedError("damaged-image")
    sixteen_bits = kind == "PNG" and png.has_sixteen_bits(content)
    return image, Looked(kind, _colour_warnings(image, name, sixteen_bits=sixteen_bits) + _name_warnings(kind, name))


def _opened(content: bytes, sample: Sample) -> ImageFile.ImageFile:
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _RefusedError("damaged-image" if formats.format_of(content) else "not-an-image") from error
    except Image.DecompressionBombError as error:  # more than any original has: its header alone says how large
        _require_size(formats.size_in_header(content), sample)
        raise _RefusedError("damaged-image") from error


def _require_size(size: tuple[int, int], sample: Sample) -> None:
    width, height = size
    if size != (sample.width, sample.height):
        expected = {"expected_width": sample.width, "expected_height": sample.height}
        raise _RefusedError("wrong-size", width=width, height=height, **expected)
    if width * height > MOST_PIXELS:
        raise _RefusedError("too-many-pixels", width=width, height=height, limit=MOST_PIXELS)


def _require_still(image: ImageFile.ImageFile) -> None:
    """A JPEG with further pictures behind it opens as MPO, which has frames too."""
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 or bool(getattr(image, "is_animated", False)):
        raise _RefusedError("several-pictures", frames=frames)


def _colour_warnings(image: Image.Image, name: str, *, sixteen_bits: bool) -> tuple[Defect, ...]:
    if not colours.are_known(image):
        raise _RefusedError("unsupported-colours", mode=image.mode)
    if colours.is_transparent(image, sixteen_bits=sixteen_bits):
        raise _RefusedError("transparent")
    notes = []
    if sixteen_bits:
        notes.append(defect("sixteen-bit", file=name))
    if colours.has_other_profile(image):
        notes.append(defect("colour-profile", file=name))
    return tuple(notes)


def _name_warnings(kind: Format, name: str) -> tuple[Defect, ...]:
    suffix = PurePosixPath(name).suffix.lower()
    if formats.FORMAT_OF_SUFFIX.get(suffix) == kind:
        return ()
    return (defect("format-mismatch", file=name, suffix=suffix, format=kind),)
