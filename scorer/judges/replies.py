"""Reads a judge's reply strictly: the JSON object that was asked for with a number from 0 to 10, or it is unusable.

A reply may stand in one Markdown code fence; anything else around the object makes it unusable, for then it is not
certain which number was meant.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, NoReturn

LARGEST_REPLY = 65_536
"""Characters; a longer reply is not read at all."""
LONGEST_REASON = 1000
"""Characters kept of a judge's words."""
LEAST, MOST = 0.0, 10.0

_FENCED = re.compile(r"```(?:json|JSON)?[ \t]*\n(?P<object>.*)\n[ \t]*```", re.DOTALL)
_FIELDS = {"score", "reasoning"}


class Reply(NamedTuple):
    """``score`` in 0..10; ``reason``: the judge's own words, one line, at most ``LONGEST_REASON`` characters."""

    score: float
    reason: str


class UnusableReplyError(Exception):
    """The reply is not what was asked for. The message says how, never what it said."""


def parse(text: str) -> Reply:
    """The score and the words of a reply. Raises UnusableReplyError for whatever is not the object asked for."""
    if len(text) > LARGEST_REPLY:
        raise UnusableReplyError(f"it is longer than {LARGEST_REPLY} characters")
    found = _object(text.strip())
    if set(found) != _FIELDS:
        raise UnusableReplyError("it does not have exactly the fields reasoning and score")
    score, reasoning = found["score"], found["reasoning"]
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise UnusableReplyError("its score is not a number")
    if not LEAST <= score <= MOST:  # infinities and NaN are refused here too
        raise UnusableReplyError("its score is not between 0 and 10")
    if not isinstance(reasoning, str):
        raise UnusableReplyError("its reasoning is not a text")
    return Reply(float(score), legible(reasoning, limit=LONGEST_REASON) or "the judge gave no reason")


def legible(text: str, *, limit: int) -> str:
    """The text in one line of at most ``limit`` printable characters, fit for logs, JSON and databases."""
    spaced = " ".join(text.split())
    kept = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in spaced)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def _object(text: str) -> dict[str, Any]:
    fenced = _FENCED.fullmatch(text)
    try:
        found = json.loads(
            fenced["object"] if fenced else text, object_pairs_hook=_without_repetition, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        raise UnusableReplyError("it is not one JSON object") from None
    if not isinstance(found, dict):
        raise UnusableReplyError("it is not one JSON object")
    return found


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is repeated")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
