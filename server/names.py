"""Names that people read and compare: of teams, models, organizations. Written one way, and never invisible.

Unicode Normalization Form KC (UAX #15), case folding (The Unicode Standard, 3.13).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

_REFUSED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Of other categories, and still drawn as nothing: default-ignorable code points, the blank of braille.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_DRAWN = "LNPS"


def tidy(value: Any) -> Any:
    """A name in its one form: NFKC, one space between words, none around them. What is no text passes through.

    Raises ValueError for a name that holds control characters, characters that cannot be seen or turn the text around
    them, line breaks or broken UTF-16, and for one in which nothing can be seen.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    _check_visible(text)
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    _check_visible(text)
    if text and not any(unicodedata.category(one)[0] in _DRAWN for one in text):
        raise ValueError("needs at least one character that can be seen")
    return text


def key(name: str) -> str:
    """What two spellings of one name have in common: they differ in case, width, ligatures or spaces alone."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _check_visible(text: str) -> None:
    for one in text:
        if unicodedata.category(one) in _REFUSED or _INVISIBLE.match(one):
            raise ValueError(
                f"holds a character that cannot be seen or breaks the line (U+{ord(one):04X}); leave it out"
            )
