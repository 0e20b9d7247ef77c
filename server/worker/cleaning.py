"""What is thrown away now and then because its time is over."""

from __future__ import annotations

from psycopg_pool import ConnectionPool

from server.db.pool import transaction
from server.http import repeating
from server.storage.port import Storage
from server.submissions.multipart import sweep


def clean_up(pool: ConnectionPool, storage: Storage) -> None:
    """Throw away what abandoned uploads left, and answers that nobody will ask for again."""
    sweep.sweep(pool, storage)
    with transaction(pool) as conn:
        repeating.forget_expired(conn)
