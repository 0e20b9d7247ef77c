"""The audit log: what maintainers did, kept for good. Written in the transaction of the act itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from server.db.queries import Queries

_QUERIES = Queries("audit")


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act: when, who, what, on what; ``detail`` holds what changed."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


def record(conn: Connection, *, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None) -> None:
    """Write down an act; it stands or falls with the transaction."""
    _QUERIES.run(conn, "record", actor=actor, action=action, subject=subject, detail=Jsonb(dict(detail or {})))


def latest(conn: Connection, *, limit: int, after: int | None) -> list[Act]:
    """The acts, newest first, before the one numbered ``after``."""
    return _QUERIES.all(conn, "list", Act, limit=limit, after=after)
