"""SQL lives in `queries/*.sql`, named and commented; this module hands it out typed.

A file is a sequence of statements, each below a line `-- name: the_name`. Parameters are psycopg's `%(name)s`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, LiteralString, NamedTuple, TypeVar, cast

from psycopg import Connection
from psycopg.rows import class_row

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
Row = TypeVar("Row")


class NamedQuery(NamedTuple):
    """One statement: ``feature.name`` and its text."""

    name: str
    sql: LiteralString


@cache
def load(feature: str) -> dict[str, NamedQuery]:
    """All statements of ``queries/<feature>.sql`` by name.

    Raises ValueError when a name stands twice or text stands before the first name.
    """
    text = files("server.db").joinpath("queries", f"{feature}.sql").read_text(encoding="utf-8")
    head, *parts = _NAME.split(text)
    if any(line and not line.startswith("--") for line in head.splitlines()):
        raise ValueError(f"{feature}.sql: text before the first name")
    names = parts[::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{feature}.sql: a name stands twice")
    return {
        name: NamedQuery(f"{feature}.{name}", cast("LiteralString", sql.strip().removesuffix(";")))
        for name, sql in zip(names, parts[1::2], strict=True)
    }


class Queries:
    """The statements of one feature, run on a connection: ``one``, ``maybe``, ``all``, ``run``."""

    def __init__(self, feature: str) -> None:
        self._feature = feature

    def _sql(self, name: str) -> LiteralString:
        return load(self._feature)[name].sql

    def all(self, conn: Connection, name: str, row: type[Row], /, **parameters: Any) -> list[Row]:
        """Every row as a ``row``."""
        with conn.cursor(row_factory=class_row(row)) as cursor:
            return cursor.execute(self._sql(name), parameters).fetchall()

    def maybe(self, conn: Connection, name: str, row: type[Row], /, **parameters: Any) -> Row | None:
        """The first row as a ``row``, or None."""
        with conn.cursor(row_factory=class_row(row)) as cursor:
            return cursor.execute(self._sql(name), parameters).fetchone()

    def one(self, conn: Connection, name: str, row: type[Row], /, **parameters: Any) -> Row:
        """The one row that there must be.

        Raises LookupError when there is none.
        """
        found = self.maybe(conn, name, row, **parameters)
        if found is None:
            raise LookupError(f"{self._feature}.{name} gave no row")
        return found

    def run(self, conn: Connection, name: str, /, **parameters: Any) -> int:
        """Run for its effect; how many rows it touched."""
        return conn.execute(self._sql(name), parameters).rowcount

    def run_many(self, conn: Connection, name: str, parameters: Sequence[dict[str, Any]], /) -> None:
        """Run once for each set of parameters, in one round trip."""
        with conn.cursor() as cursor:
            cursor.executemany(self._sql(name), parameters)
