"""The judge's replies, read as the official evaluation reads them (docs/protocol.md, gsi-official-1, "Judge")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from scorer.official.aborts import OfficialAbortError

MARK = "||V^=^V||"
"""Stands before and after the JSON of a reply."""


def parse_reply(reply: object) -> Any:
    """The ``score`` of a reply: whatever JSON value stands there, unchecked (D19), or None.

    The text between the first mark and the next (or the end) must be a JSON object and nothing else; NaN and Infinity
    are accepted as Python does.
    """
    if not isinstance(reply, str):
        return None
    pieces = reply.split(MARK)
    if len(pieces) < 2:
        return None
    try:
        content = json.loads(pieces[1])
    except (ValueError, RecursionError):
        return None
    return content.get("score") if isinstance(content, dict) else None


def parse_replies(predictions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Index -> score of a file of predictions; the last of an index wins.

    Raises OfficialAbortError where an entry has no ``meta.index`` or no ``prediction``.
    """
    scores: dict[str, Any] = {}
    for position, entry in enumerate(predictions):
        try:
            index, reply = entry["meta"]["index"], entry["prediction"]
        except (KeyError, TypeError) as error:
            official = type(error).__name__
            raise OfficialAbortError(official, f"prediction {position} lacks meta.index or prediction") from error
        scores[index] = parse_reply(reply)
    return scores
