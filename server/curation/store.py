"""Curated entries in the database."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection
from psycopg.errors import UniqueViolation

from server.curation.model import Entry, NewEntry, Provenance, Scores
from server.db.queries import Queries
from server.errors import ConflictError

_QUERIES = Queries("curation")


@dataclass(frozen=True)
class _Id:
    id: UUID


def list_entries(
    conn: Connection, *, benchmark_id: str | None, retired_too: bool, limit: int, after: tuple[str, str, UUID] | None
) -> list[Entry]:
    """Entries by benchmark and model, behind the one at ``after``; of one benchmark, or of all (None)."""
    benchmark, model, identity = after or (None, None, None)
    return _QUERIES.all(
        conn,
        "list",
        Entry,
        benchmark_id=benchmark_id,
        retired_too=retired_too,
        limit=limit,
        after_benchmark=benchmark,
        after_model=model,
        after_id=identity,
    )


def get(conn: Connection, entry_id: UUID) -> Entry | None:
    """One entry, or None."""
    return _QUERIES.maybe(conn, "get", Entry, id=entry_id)


def get_locked(conn: Connection, entry_id: UUID) -> Entry | None:
    """One entry, held until the transaction ends; or None."""
    _QUERIES.maybe(conn, "lock", _Id, id=entry_id)
    return get(conn, entry_id)


def add(conn: Connection, new: NewEntry, *, provenance: Provenance) -> UUID | None:
    """Add an entry; None when the board has a living one of that model."""
    row = _QUERIES.maybe(
        conn,
        "add",
        _Id,
        benchmark_id=new.benchmark,
        model=new.model,
        organization=new.organization,
        access=new.access,
        size=new.size,
        provenance=provenance,
        source_url=new.source_url,
        source_note=new.source_note,
        access_date=new.access_date,
    )
    if row is None:
        return None
    put_scores(conn, row.id, new.scores)
    return row.id


def was_ever_added(conn: Connection, *, benchmark_id: str, model: str, provenance: Provenance) -> bool:
    """Whether the board ever had that model from that provenance, retired or not."""
    found = _QUERIES.maybe(conn, "ever_added", _Id, benchmark_id=benchmark_id, model=model, provenance=provenance)
    return found is not None


def update(conn: Connection, entry: Entry) -> None:
    """Write an entry's words (not its numbers). Raises ConflictError when another living entry has its model's name."""
    try:
        _QUERIES.run(
            conn,
            "update",
            id=entry.id,
            model=entry.model,
            organization=entry.organization,
            access=entry.access,
            size=entry.size,
            source_url=entry.source_url,
            source_note=entry.source_note,
            access_date=entry.access_date,
        )
    except UniqueViolation as error:
        raise there_is_one(entry.model) from error


def there_is_one(model: str) -> ConflictError:
    """What to say when a board has a living entry of that model."""
    return ConflictError(
        f"The board has an entry of {model!r} already.", remedy="Edit that entry, or retire it before you add another."
    )


def put_scores(conn: Connection, entry_id: UUID, scores: Scores) -> None:
    """Write the numbers named; None takes one away."""
    cells = [
        {"entry_id": entry_id, "subset": subset, "dimension": dimension, "value": value}
        for subset, row in scores.items()
        for dimension, value in row.items()
    ]
    _QUERIES.run_many(conn, "put_score", [cell for cell in cells if cell["value"] is not None])
    gone = [{key: cell[key] for key in ("entry_id", "subset", "dimension")} for cell in cells if cell["value"] is None]
    _QUERIES.run_many(conn, "drop_score", gone)


def retire(conn: Connection, entry_id: UUID, *, reason: str) -> bool:
    """Take an entry off the board; False when it was off already."""
    return _QUERIES.run(conn, "retire", id=entry_id, reason=reason) == 1
