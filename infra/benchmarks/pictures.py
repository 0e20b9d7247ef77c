"""Whether the pictures of a benchmark can be used: decoded whole, by the rules that participants' pictures follow."""

from __future__ import annotations

import io
import warnings
from typing import NamedTuple

from PIL import Image

from infra.benchmarks.findings import Findings
from scorer.contract import Defect, Sample
from scorer.gate.images import FORMATS, decode
from scorer.gate.limits import DEFAULT_LIMITS

_GET_AGAIN = "Get the file again from where the data set is published, or mend it."
_SMALLEST = 32
_LARGEST = 16_384


class Size(NamedTuple):
    """Of a picture, in pixels."""

    width: int
    height: int


def size_of(content: bytes, *, file: str, found: Findings) -> Size | None:
    """The size that a picture states; None, with the reason in ``found``, where it is none or of no usable size."""
    if len(content) > DEFAULT_LIMITS.file_bytes:
        found.error(file, f"is larger than {DEFAULT_LIMITS.file_bytes:,} bytes", "Save it as JPEG or WebP.")
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about oddities in metadata, and about sizes, which are looked at below
            size = Size(*Image.open(io.BytesIO(content), formats=FORMATS).size)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - decoders raise anything on damaged bytes
        found.error(file, "is no picture that can be read (PNG, JPEG or WebP)", _GET_AGAIN)
        return None
    if not all(_SMALLEST <= side <= _LARGEST for side in size):
        wrong = f"is {size.width}×{size.height} pixels; {_SMALLEST} to {_LARGEST} a side can be scored"
        found.error(file, wrong, _GET_AGAIN)
        return None
    return size


def require_usable(content: bytes, *, file: str, sample: Sample, found: Findings) -> None:
    """Decode a picture that must have the size of ``sample``'s original; what is wrong goes to ``found``."""
    picture = decode(content, name=file, sample=sample)
    for one in [picture] if isinstance(picture, Defect) else picture.warnings:
        if one.severity == "error":
            found.error(file, one.message, _GET_AGAIN)
        else:
            found.warning(file, one.message, one.remedy)
