"""Forward-only migrations: `migrations/NNNN_name.sql`, each applied once, in order, in one transaction each."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

import psycopg

from server.errors import ConfigurationError

_LOCK = 0x6753_4942  # any number that only we use


class Migration(NamedTuple):
    """One step: its file name, its text and the text's sha256."""

    name: str
    sql: str
    sha256: str


def migrations() -> list[Migration]:
    """All steps in order."""
    found = []
    for file in files("server.db").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            sql = file.read_text(encoding="utf-8")
            found.append(Migration(file.name, sql, hashlib.sha256(sql.encode()).hexdigest()))
    return sorted(found)


def migrate(database_url: str) -> list[str]:
    """Bring a database up to date; the names of the steps applied. Safe to call from several processes at once.

    Raises ConfigurationError when the database has a step that this version does not know, or another text of one.
    """
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute("select pg_advisory_lock(%s)", (_LOCK,))
        conn.execute(
            "create table if not exists schema_migrations"
            " (name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
        )
        waiting = _waiting(conn)
        for step in waiting:
            with conn.transaction():
                conn.execute(step.sql.encode())
                conn.execute("insert into schema_migrations (name, sha256) values (%s, %s)", (step.name, step.sha256))
        return [step.name for step in waiting]


def pending(database_url: str) -> list[str]:
    """The names of the steps that a database still lacks; changes nothing."""
    with psycopg.connect(database_url, connect_timeout=5) as conn:
        known = conn.execute("select to_regclass('schema_migrations')").fetchone()
        if known is None or known[0] is None:
            return [step.name for step in migrations()]
        return [step.name for step in _waiting(conn)]


def _waiting(conn: psycopg.Connection) -> list[Migration]:
    applied: dict[str, str] = dict(conn.execute("select name, sha256 from schema_migrations").fetchall())
    known = {step.name: step.sha256 for step in migrations()}
    for name, sha256 in applied.items():
        if name not in known:
            raise ConfigurationError(
                f"The database has the migration {name}, which this version does not know.",
                remedy="Use the version that made it, or a newer one; or name another database or data directory.",
            )
        if known[name] != sha256:
            raise ConfigurationError(
                f"The migration {name} was applied to the database with another text than this version has.",
                remedy="Use the version that made it, or name another database or data directory.",
            )
    return [step for step in migrations() if step.name not in applied]
