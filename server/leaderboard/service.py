"""The one use-case of boards: show one under a filter."""

from __future__ import annotations

from psycopg import Connection

from server.benchmarks import service as benchmarks
from server.benchmarks import store as benchmark_store
from server.errors import InvalidError
from server.leaderboard import store
from server.leaderboard.model import Board


def board(
    conn: Connection, benchmark_id: str, *, subset: str | None, operation: str | None, protocol: str | None = None
) -> Board:
    """A benchmark's board under one protocol, without a name the one that ranks.

    Raises NotFoundError for an unknown benchmark, InvalidError for an unknown filter.
    """
    benchmark = benchmarks.get(conn, benchmark_id)
    if protocol is not None:
        _known("protocol", protocol, benchmark.protocols)
    chosen = protocol or benchmark.protocol
    if subset is not None:
        _known("subset", subset, [one.id for one in benchmark_store.subsets_of(conn, benchmark_id)])
    if operation is not None:
        _known("operation", operation, benchmark.operations)
    return Board(
        benchmark=benchmark_id,
        protocol=chosen,
        subset=subset,
        operation=operation,
        ranked_by=benchmark.ranked_by,
        columns=tuple(dimension["id"] for dimension in benchmark.dimensions),
        entries=tuple(
            store.entries(conn, benchmark_id=benchmark_id, protocol=chosen, subset=subset, operation=operation)
        ),
    )


def _known(what: str, name: str, names: list[str]) -> None:
    if name not in names:
        remedy = f"Choose one of: {', '.join(names)}." if names else f"Leave {what} out: this board has none."
        raise InvalidError(f"This board has no {what} {name!r}.", remedy=remedy)
