"""Boards in the database."""

from __future__ import annotations

from psycopg import Connection

from server.db.queries import Queries
from server.leaderboard.model import EVERYTHING, Entry

_QUERIES = Queries("leaderboard")


def entries(
    conn: Connection, *, benchmark_id: str, protocol: str, subset: str | None, operation: str | None
) -> list[Entry]:
    """The lines of a board, best first, those without a rank last."""
    return _QUERIES.all(
        conn,
        "rows",
        Entry,
        benchmark_id=benchmark_id,
        protocol=protocol,
        subset=subset,
        operation=operation or EVERYTHING,
    )
