"""Progress in the database."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from psycopg import Connection

from server.db.queries import Queries
from server.submissions.progress.model import Progress

_QUERIES = Queries("progress")


def of(conn: Connection, ids: Collection[UUID]) -> dict[UUID, Progress]:
    """How far each of these submissions is; those that do not exist are left out."""
    return {one.id: one for one in _QUERIES.all(conn, "of", Progress, ids=list(ids))}
