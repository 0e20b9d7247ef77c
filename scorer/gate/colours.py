"""Which colours a picture may have, and how they become RGB.

Pixels are taken as stored, as sRGB: embedded colour profiles and gamma are not applied. Grey and palette images become
RGB; of 16 bits the upper 8 are used; an opaque alpha channel is dropped, transparency refused; CMYK and others refused.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

_PLAIN_MODES = {"RGB", "L", "1", "P"}
_ALPHA_MODES = {"RGBA", "LA", "PA"}
_SIXTEEN_BIT_MODES = {"I;16", "I;16B", "I;16L", "I"}
_OPAQUE = 255
_SRGB = (b"sRGB", "sRGB".encode("utf-16-be"), b"IEC61966-2")


def are_known(image: Image.Image) -> bool:
    """Whether there is a rule that makes RGB of the picture's colours."""
    return image.mode in _PLAIN_MODES | _ALPHA_MODES | _SIXTEEN_BIT_MODES


def has_other_profile(image: Image.Image) -> bool:
    """Whether the picture carries a colour profile that does not call itself sRGB."""
    profile = image.info.get("icc_profile")
    return isinstance(profile, bytes) and bool(profile) and not any(name in profile for name in _SRGB)


def is_transparent(image: Image.Image, *, sixteen_bits: bool) -> bool:
    """Whether any pixel of a decoded picture is not opaque.

    A colour of 16 bits that is declared transparent counts as used: of the decoded picture nobody can tell.
    """
    if image.mode in _ALPHA_MODES:
        return image.getchannel("A").getextrema()[0] != _OPAQUE
    if "transparency" not in image.info:
        return False
    return sixteen_bits or image.convert("RGBA").getchannel("A").getextrema()[0] != _OPAQUE


def to_rgb(image: Image.Image) -> Pixels:
    """The pixels (height, width, 3) of a decoded picture whose colours are known."""
    if image.mode in _SIXTEEN_BIT_MODES:
        grey = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, _OPAQUE).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.array(image.convert("RGB"), dtype=np.uint8)
