"""Uploads in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from psycopg import Connection
from psycopg.errors import LockNotAvailable

from server.db.queries import Queries
from server.errors import UploadBusyError
from server.storage.port import Part
from server.submissions.multipart.model import Declared, Over, Upload, UploadState

_QUERIES = Queries("uploads")


@dataclass(frozen=True)
class _Team:
    team_id: UUID


@dataclass(frozen=True)
class _Hash:
    sha256: str


def add(
    conn: Connection,
    submission_id: UUID,
    *,
    archive_key: str,
    part_bytes: int,
    most_bytes: int,
    declared: Declared,
    lifetime: timedelta,
) -> Upload | None:
    """Begin an upload; None while the submission has an open one. One that has expired makes room."""
    _QUERIES.run(conn, "expire", submission_id=submission_id)
    return _QUERIES.maybe(
        conn,
        "add",
        Upload,
        submission_id=submission_id,
        archive_key=archive_key,
        part_bytes=part_bytes,
        most_bytes=most_bytes,
        declared_bytes=declared.bytes,
        declared_sha256=declared.sha256,
        lifetime=lifetime,
    )


def get(conn: Connection, submission_id: UUID, upload_id: UUID) -> Upload | None:
    """One upload of a submission, or None."""
    return _QUERIES.maybe(conn, "get", Upload, submission_id=submission_id, id=upload_id)


def latest(conn: Connection, submission_id: UUID) -> list[Upload]:
    """The latest uploads of a submission, newest first."""
    return _QUERIES.all(conn, "list", Upload, submission_id=submission_id)


def lock(conn: Connection, submission_id: UUID, upload_id: UUID) -> Upload | None:
    """One upload, locked until the transaction ends; None without one.

    Raises UploadBusyError when another request has it for long: it puts gigabytes together, and who waits holds a
    connection.
    """
    _QUERIES.run(conn, "wait_briefly")
    try:
        return _QUERIES.maybe(conn, "lock", Upload, submission_id=submission_id, id=upload_id)
    except LockNotAvailable as error:
        raise UploadBusyError(retry_after=2) from error


def set_storage_id(conn: Connection, upload_id: UUID, storage_id: str) -> None:
    """Remember the storage's own name of an upload."""
    _QUERIES.run(conn, "set_storage_id", id=upload_id, storage_id=storage_id)


def end(conn: Connection, upload_id: UUID, state: UploadState, *, sha256: str | None = None) -> None:
    """Complete or give up an open upload; ``sha256`` is what its team says of the whole."""
    _QUERIES.run(conn, "end", id=upload_id, state=state, sha256=sha256)


def add_parts(conn: Connection, upload_id: UUID, parts: Sequence[Part]) -> None:
    """Remember what is signed; what was signed before under the same number stays."""
    rows = [{"upload_id": upload_id, "number": p.number, "bytes": p.size, "sha256": p.sha256} for p in parts]
    _QUERIES.run_many(conn, "add_part", rows)


def parts(conn: Connection, upload_id: UUID) -> dict[int, Part]:
    """What was signed, by number."""
    return {part.number: part for part in _QUERIES.all(conn, "parts", Part, upload_id=upload_id)}


def team_of_storage_id(conn: Connection, storage_id: str) -> UUID | None:
    """Whose open upload the storage names so."""
    row = _QUERIES.maybe(conn, "team_of_storage_id", _Team, storage_id=storage_id)
    return row.team_id if row else None


def declared_sha256(conn: Connection, submission_id: UUID) -> str | None:
    """The sha256 that the team stated for the archive that was accepted."""
    row = _QUERIES.maybe(conn, "declared_sha256", _Hash, submission_id=submission_id)
    return row.sha256 if row else None


def over(conn: Connection) -> list[Over]:
    """Uploads whose parts may be thrown away, locked; the open ones among them are given up."""
    return _QUERIES.all(conn, "over", Over)


def cleaned(conn: Connection, upload_id: UUID) -> None:
    """The storage holds nothing more of an upload that does not belong there."""
    _QUERIES.run(conn, "cleaned", id=upload_id)
