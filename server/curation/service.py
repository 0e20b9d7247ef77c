"""Use-cases of curation. Each writes the audit log in the same transaction; nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from server.benchmarks import service as benchmarks
from server.benchmarks import store as benchmark_store
from server.curation import store
from server.curation.model import Entry, NewEntry, Scores
from server.db import audit
from server.errors import ConflictError, InvalidError, NotFoundError

_WORDS = ("model", "organization", "access", "size", "access_date", "source_url", "source_note")


def get(conn: Connection, entry_id: UUID, *, retired_too: bool) -> Entry:
    """One entry. Raises NotFoundError."""
    found = store.get(conn, entry_id)
    if found is None or (found.retired_at is not None and not retired_too):
        raise _no_such_entry()
    return found


def add(conn: Connection, new: NewEntry, *, actor: str) -> Entry:
    """Add an entry to a board.

    Raises NotFoundError for an unknown benchmark, InvalidError for numbers that the board has no place for,
    ConflictError when the board has a living entry of that model.
    """
    _check_places(conn, new.benchmark, new.scores)
    entry_id = store.add(conn, new, provenance="curated")
    if entry_id is None:
        raise store.there_is_one(new.model)
    audit.record(conn, actor=actor, action="baseline.add", subject=str(entry_id), detail=_plain(asdict(new)))
    return get(conn, entry_id, retired_too=False)


def edit(conn: Connection, entry_id: UUID, *, changes: Mapping[str, Any], actor: str) -> Entry:
    """Change the words and numbers named; the log keeps what they were.

    Raises NotFoundError, InvalidError as `add` and for renaming a paper's entry, ConflictError when the entry is
    retired or the new name is taken.
    """
    before = _alive(conn, entry_id)
    scores: Scores = changes.get("scores") or {}
    _check_places(conn, before.benchmark_id, scores)
    after = replace(before, **{name: changes[name] for name in _WORDS if name in changes})
    if before.provenance == "paper" and after.model != before.model:
        raise InvalidError("An entry from a paper keeps the paper's name.", remedy="Retire it and add one of your own.")
    store.update(conn, after)
    store.put_scores(conn, entry_id, scores)
    after = get(conn, entry_id, retired_too=False)
    if not after.scores:
        raise InvalidError("An entry needs at least one number.", remedy="Retire it instead.")
    _record_difference(conn, before, after, actor=actor)
    return after


def retire(conn: Connection, entry_id: UUID, *, reason: str, actor: str) -> Entry:
    """Take an entry off the board; it stays in the records. Raises NotFoundError, ConflictError when it is off."""
    found = _alive(conn, entry_id)
    store.retire(conn, entry_id, reason=reason)
    detail = {"benchmark": found.benchmark_id, "model": found.model, "reason": reason}
    audit.record(conn, actor=actor, action="baseline.retire", subject=str(entry_id), detail=detail)
    return get(conn, entry_id, retired_too=True)


def _alive(conn: Connection, entry_id: UUID) -> Entry:
    found = store.get_locked(conn, entry_id)
    if found is None:
        raise _no_such_entry()
    if found.retired_at is not None:
        raise ConflictError("The entry is retired; it stays as it was.", remedy="Add a new entry.")
    return found


def _check_places(conn: Connection, benchmark_id: str, scores: Scores) -> None:
    benchmark = benchmarks.get(conn, benchmark_id)
    subsets = [one.id for one in benchmark_store.subsets_of(conn, benchmark_id)]
    dimensions = [dimension["id"] for dimension in benchmark.dimensions]
    for subset, row in scores.items():
        if subset not in subsets:
            raise InvalidError(
                f"{benchmark.title} has no subset {subset!r}.", remedy=f"Its subsets: {', '.join(subsets)}."
            )
        for dimension in row:
            if dimension not in dimensions:
                raise InvalidError(
                    f"{benchmark.title} has no dimension {dimension!r}.",
                    remedy=f"Its dimensions: {', '.join(dimensions)}.",
                )


def _record_difference(conn: Connection, before: Entry, after: Entry, *, actor: str) -> None:
    old, new = asdict(before), asdict(after)
    changed = [name for name in (*_WORDS, "scores") if old[name] != new[name]]
    detail = {name: {"from": old[name], "to": new[name]} for name in changed}
    audit.record(conn, actor=actor, action="baseline.edit", subject=str(before.id), detail=_plain(detail))


def _plain(value: Any) -> Any:
    """``value`` made of what JSON knows."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value.isoformat() if isinstance(value, date | datetime) else value


def _no_such_entry() -> NotFoundError:
    return NotFoundError("There is no such baseline.", remedy="See `gsi baseline list` for all.")
