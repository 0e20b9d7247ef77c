"""Committed chunks in the database: which there are, and where their content lies."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection

from server.db.queries import Queries
from server.scoring.model import CommittedChunk, DroppableChunks, Run, Step

_QUERIES = Queries("runs")


@dataclass(frozen=True)
class _Count:
    count: int


def add(conn: Connection, run: Run, chunk: CommittedChunk) -> bool:
    """Commit a chunk under the run's lease; False when the token is an old one, and then nothing has changed."""
    row = _QUERIES.one(
        conn,
        "add_chunk",
        _Count,
        id=run.id,
        token=run.lease_token,
        step=chunk.step,
        inputs=chunk.inputs,
        first=chunk.first,
        count=chunk.count,
        object_key=chunk.object_key,
        sha256=chunk.sha256,
    )
    return row.count == 1


def of_subset(conn: Connection, run: Run, step: Step, *, inputs: str | None = None) -> list[CommittedChunk]:
    """What attempts at the run's subset have committed, of the same ``inputs``: those given, else the last ones."""
    return _QUERIES.all(
        conn,
        "chunks",
        CommittedChunk,
        submission_id=run.submission_id,
        subset=run.subset,
        protocol=run.protocol,
        benchmark_version=run.benchmark_version,
        step=step,
        inputs=inputs,
    )


def droppable(conn: Connection) -> list[DroppableChunks]:
    """The chunks of some submissions that will not be measured any more."""
    return _QUERIES.all(conn, "droppable_chunks", DroppableChunks)


def note_dropped(conn: Connection, submission_id: UUID) -> None:
    """Remember that a submission's chunks are gone from the storage."""
    _QUERIES.run(conn, "note_dropped_chunks", submission_id=submission_id)
