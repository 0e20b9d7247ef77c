"""The pool of connections, and transactions on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool, PoolTimeout

from server.errors import UnavailableError

_ACQUIRE_SECONDS = 10.0


def make_pool(database_url: str, *, size: int) -> ConnectionPool:
    """An open pool of at most ``size`` connections; connects in the background, so that start-up never hangs."""
    return ConnectionPool(
        database_url,
        min_size=1,
        max_size=size,
        timeout=_ACQUIRE_SECONDS,
        check=ConnectionPool.check_connection,
        kwargs={"options": "-c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"},
        open=True,
    )


@contextmanager
def transaction(pool: ConnectionPool) -> Iterator[Connection]:
    """One transaction: committed when the block ends, rolled back when it raises. Nobody else commits.

    Raises UnavailableError when no connection can be had.
    """
    try:
        connection = pool.getconn()
    except (PoolTimeout, OperationalError) as error:
        raise UnavailableError("The database does not answer.") from error
    try:
        with connection.transaction():
            yield connection
    finally:
        pool.putconn(connection)
