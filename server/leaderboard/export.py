"""A board as CSV that spreadsheets open safely."""

from __future__ import annotations

import csv
import io

from server.leaderboard.model import Board

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_WORDS = (
    "rank", "model", "organization", "team", "access", "size", "kind", "provenance", "protocol", "submitted_at",
    "source_url", "entry_id",
)  # fmt: skip


def to_csv(board: Board) -> str:
    """One line for each entry: rank, words, then a column for each dimension; RFC 4180 line ends.

    A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV Injection).
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([*_WORDS, *board.columns])
    for entry in board.entries:
        words = [getattr(entry, name) for name in _WORDS[1:]]
        numbers = [entry.scores.get(column, "") for column in board.columns]
        writer.writerow([entry.rank or "", *map(safe_cell, words), *numbers])
    return stream.getvalue()


def safe_cell(value: object) -> str:
    """``value`` as text that no spreadsheet takes for a formula; nothing for None."""
    text = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_A_FORMULA) else text
