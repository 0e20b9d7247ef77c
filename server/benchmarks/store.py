"""Benchmarks in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from psycopg import Connection
from psycopg.types.json import Jsonb

from server.benchmarks.model import Benchmark, Dimension, Kind, Subset, Version
from server.db.queries import Queries

_QUERIES = Queries("benchmarks")


def list_benchmarks(conn: Connection) -> list[Benchmark]:
    """All benchmarks in the order of the site."""
    return _QUERIES.all(conn, "list_benchmarks", Benchmark)


def get_benchmark(conn: Connection, benchmark_id: str) -> Benchmark | None:
    """One benchmark, or None."""
    return _QUERIES.maybe(conn, "get_benchmark", Benchmark, id=benchmark_id)


def list_subsets(conn: Connection) -> list[Subset]:
    """The subsets of all benchmarks, in order."""
    return _QUERIES.all(conn, "list_subsets", Subset)


def subsets_of(conn: Connection, benchmark_id: str) -> list[Subset]:
    """The subsets of one benchmark, in order."""
    return _QUERIES.all(conn, "subsets_of", Subset, benchmark_id=benchmark_id)


def get_version(conn: Connection, benchmark_id: str, version: str) -> Version | None:
    """One content of a benchmark, or None."""
    return _QUERIES.maybe(conn, "get_version", Version, benchmark_id=benchmark_id, version=version)


def put_benchmark(
    conn: Connection,
    *,
    id: str,
    title: str,
    description: str,
    kind: Kind,
    protocol: str,
    dimensions: Sequence[Dimension],
    ranked_by: str,
    operations: Sequence[str],
    source_url: str | None,
    position: int,
) -> None:
    """Add a benchmark, or bring its words up to date."""
    _QUERIES.run(
        conn,
        "put_benchmark",
        id=id,
        title=title,
        description=description,
        kind=kind,
        protocol=protocol,
        dimensions=Jsonb([dimension._asdict() for dimension in dimensions]),
        ranked_by=ranked_by,
        operations=list(operations),
        source_url=source_url,
        position=position,
    )


def put_subsets(conn: Connection, benchmark_id: str, subsets: Sequence[Subset]) -> None:
    """Make these the subsets of a benchmark, in the sequence's order; what was there before and is not named goes."""
    _QUERIES.run(conn, "drop_other_subsets", benchmark_id=benchmark_id, ids=[one.id for one in subsets])
    _QUERIES.run_many(conn, "put_subset", [{**asdict(one), "position": n} for n, one in enumerate(subsets)])


def add_version(conn: Connection, version: Version) -> bool:
    """Add a content and make it the current one; False when it was the current one already."""
    _QUERIES.run(conn, "add_version", **{**asdict(version), "manifest": Jsonb(version.manifest)})
    changed = _QUERIES.run(conn, "set_current_version", id=version.benchmark_id, version=version.version)
    return changed > 0


def set_missing_instruments(conn: Connection, benchmark_id: str, missing: Sequence[str]) -> bool:
    """Write down what is not installed here; False when that was known."""
    return _QUERIES.run(conn, "set_missing_instruments", id=benchmark_id, missing=list(missing)) > 0
