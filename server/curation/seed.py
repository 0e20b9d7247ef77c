"""The published results: benchmarks that papers report on, and the numbers of their tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from psycopg import Connection

from server.benchmarks import store as benchmark_store
from server.benchmarks.model import SCORED_DIMENSIONS, Dimension, Subset
from server.curation import store
from server.curation.model import NewEntry
from server.db import audit

_PROTOCOL = "paper"
_ACTOR = "seed"
_SUBSET_TITLES = {
    "gsi-real": "GSI-Real",
    "gsi-syn-tabletop": "GSI-Syn-Tabletop",
    "gsi-syn-room": "GSI-Syn-Room",
}
_TITLES_OF_DIMENSIONS = {"overall": "Overall accuracy"}


class _Published(NamedTuple):
    """A benchmark whose numbers come from a paper."""

    id: str
    title: str
    description: str
    dimensions: Sequence[Dimension]
    ranked_by: str
    subsets: Sequence[Subset]
    entries: Sequence[NewEntry]


def seed(conn: Connection) -> list[str]:
    """Bring the published benchmarks and their entries in; names of the entries added. Safe to repeat.

    What a maintainer changed or retired stays as they left it.
    """
    data = json.loads(files("server.curation").joinpath("data", "paper_results.json").read_text(encoding="utf-8"))
    added = []
    for position, board in enumerate(_boards(data), start=2):
        _put(conn, board, source_url=_source_url(data), position=10 * position)
        for entry in board.entries:
            known = store.was_ever_added(conn, benchmark_id=board.id, model=entry.model, provenance="paper")
            if not known and store.add(conn, entry, provenance="paper") is not None:
                added.append(f"{board.id}: {entry.model}")
    if added:
        audit.record(conn, actor=_ACTOR, action="baseline.seed", subject="paper results", detail={"added": added})
    return added


def _put(conn: Connection, board: _Published, *, source_url: str, position: int) -> None:
    benchmark_store.put_benchmark(
        conn,
        id=board.id,
        title=board.title,
        description=board.description,
        kind="published",
        protocol=_PROTOCOL,
        dimensions=board.dimensions,
        ranked_by=board.ranked_by,
        operations=(),
        source_url=source_url,
        position=position,
    )
    benchmark_store.put_subsets(conn, board.id, board.subsets)


def _boards(data: dict[str, Any]) -> Iterator[_Published]:
    yield _main(data)
    for table in data["transfer"]:
        yield _transfer(data, table)


def _main(data: dict[str, Any]) -> _Published:
    subsets = [
        Subset(benchmark_id="gsi-bench", id=name, title=_SUBSET_TITLES.get(name, name), samples=facts["samples"])
        for name, facts in data["subsets"].items()
    ]
    entries = [
        NewEntry(
            benchmark="gsi-bench",
            model=entry["model"],
            organization=entry["organization"],
            access=entry["access"],
            source_url=_source_url(data),
            source_note=_note(data),
            scores=entry["scores"],
        )
        for entry in data["entries"]
    ]
    return _Published(
        id="gsi-bench",
        title="GSI-Bench",
        description=f"Results as published in “{data['source']['title']}” ({data['source']['venue']}).",
        dimensions=SCORED_DIMENSIONS,
        ranked_by="avg",
        subsets=subsets,
        entries=entries,
    )


def _transfer(data: dict[str, Any], table: dict[str, Any]) -> _Published:
    """One table of the paper's transfer results: rows are [model, size, access, one number for each column]."""
    title: str = table["benchmark"]
    name = title.lower()
    entries = [
        NewEntry(
            benchmark=name,
            model=model,
            size=size,
            access=access,
            source_url=_source_url(data),
            source_note=_note(data),
            scores={name: dict(zip(table["columns"], numbers, strict=True))},
        )
        for model, size, access, *numbers in table["rows"]
    ]
    return _Published(
        id=name,
        title=title,
        description=f"Transfer to {title}, {table['metric']}, as published in “{data['source']['title']}”.",
        dimensions=[_dimension(column) for column in table["columns"]],
        ranked_by="overall",
        subsets=[Subset(benchmark_id=name, id=name, title=title, samples=None)],
        entries=entries,
    )


def _dimension(column: str) -> Dimension:
    words = column.replace("_", " ").capitalize()
    return Dimension(column, words, _TITLES_OF_DIMENSIONS.get(column, words), "%")


def _source_url(data: dict[str, Any]) -> str:
    return f"https://arxiv.org/abs/{data['source']['arxiv']}"


def _note(data: dict[str, Any]) -> str:
    return f"{data['source']['title']}, {data['source']['venue']}"
