"""Use-cases of curation. Each writes the audit log in the same transaction; nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import Connection

from server.benchmarks import service as benchmarks
from server.benchmarks import store as benchmark_store
from server.curation import store
from server.curation.model import Entry, NewEntry, Scores
from server.db import audit
from server.errors import ConflictError, InvalidError, NotFoundError

_AVERAGED = ("ic", "sa", "ac", "el")
_FORGIVEN = 0.01
_WORDS = ("model", "organization", "access", "size", "access_date", "source_url", "source_note")


def get(conn: Connection, entry_id: UUID, *, retired_too: bool) -> Entry:
    """One entry. Raises NotFoundError."""
    found = store.get(conn, entry_id)
    if found is None or (found.retired_at is not None and not retired_too):
        raise _no_such_entry()
    return found


def add(conn: Connection, new: NewEntry, *, actor: str) -> Entry:
    """Add an entry to a board.

    Raises NotFoundError for an unknown benchmark, InvalidError for numbers that the board has no place for or whose avg
    is not their mean, ConflictError when the board has a living entry of that model.
    """
    _check_places(conn, new.benchmark, new.scores)
    for subset, row in new.scores.items():
        check_mean(subset, row)
    entry_id = store.add(conn, new, provenance="curated")
    if entry_id is None:
        raise store.there_is_one(new.model)
    audit.record(conn, actor=actor, action="baseline.add", subject=str(entry_id), detail=_plain(asdict(new)))
    return get(conn, entry_id, retired_too=False)


def edit(conn: Connection, entry_id: UUID, *, changes: Mapping[str, Any], actor: str) -> Entry:
    """Change the words and numbers named; the log keeps what they were. What changes nothing is not logged.

    Raises NotFoundError, InvalidError as `add` and for renaming a paper's entry, ConflictError when the entry is
    retired or the new name is taken.
    """
    before = _alive(conn, entry_id)
    changed: Scores = changes.get("scores") or {}
    _check_places(conn, before.benchmark_id, changed)
    words = {name: changes[name] for name in _WORDS if name in changes}
    after = replace(before, **words, scores=_merged(before.scores, changed))
    if after == before:
        return before
    if before.provenance == "paper" and after.model != before.model:
        raise InvalidError("An entry from a paper keeps the paper's name.", remedy="Retire it and add one of your own.")
    if not after.scores:
        raise InvalidError("An entry needs at least one number.", remedy="Retire it instead.")
    for subset in changed:
        check_mean(subset, after.scores.get(subset, {}))
    store.update(conn, after)
    store.put_scores(conn, entry_id, changed)
    _record_difference(conn, before, after, actor=actor)
    return get(conn, entry_id, retired_too=False)


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


def check_mean(subset: str, row: Mapping[str, float | None]) -> None:
    """Where IC, SA, AC and EL (0..100) stand beside an avg, the avg is their mean (protocol, Avg).

    A hundredth is forgiven, and one unit of the last decimal that the source gives: it rounded all five.
    Raises InvalidError.
    """
    given = [value for name in (*_AVERAGED, "avg") if (value := row.get(name)) is not None]
    if len(given) <= len(_AVERAGED):
        return
    *parts, avg = given
    mean = sum(parts) / len(parts)
    decimals = max(_decimals(value) for value in given)
    if abs(avg - mean) > _FORGIVEN + 10.0**-decimals + 1e-9:
        raise InvalidError(
            f"On {subset} avg is {avg:g}, but the mean of ic, sa, ac and el is {mean:.2f}.",
            remedy="Compare all five numbers with the source.",
        )


def _decimals(value: float) -> int:
    return max(0, -int(Decimal(repr(value)).normalize().as_tuple().exponent))


def _merged(before: Scores, changed: Scores) -> dict[str, dict[str, float]]:
    """The numbers with those of ``changed`` in their places; a None takes one away."""
    rows = {subset: {**before.get(subset, {}), **changed.get(subset, {})} for subset in {*before, *changed}}
    kept = {subset: {name: one for name, one in row.items() if one is not None} for subset, row in rows.items()}
    return {subset: row for subset, row in kept.items() if row}


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
