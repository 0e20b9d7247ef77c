"""Use-cases of uploads in parts. Each runs inside the caller's transaction; nothing here commits.

What decides is in the database and at the storage, never with the client: which content was signed under which number,
and what has arrived. Of two locks the upload's comes first, then the submission's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from psycopg import Connection

from server.errors import (
    ConflictError,
    InvalidError,
    LengthMismatchError,
    MissingUploadError,
    PartDiffersError,
    StorageError,
    TooLargeError,
)
from server.settings import Settings
from server.storage.port import Part, Parts, SignedPart, Storage, new_archive_key
from server.submissions import service as submissions
from server.submissions.model import Submission
from server.submissions.multipart import store
from server.submissions.multipart.model import Declared, Upload
from server.teams.model import Caller

_MOST_PARTS = 10_000  # what S3 takes
_MIB = 1024 * 1024
_SHOWN = 10


def begin(conn: Connection, caller: Caller, submission_id: UUID, declared: Declared, *, settings: Settings) -> Upload:
    """Begin an upload for a submission of the caller's team that awaits its archive.

    Raises NotFoundError, ConflictError when it has an archive or an open upload, TooLargeError by what is declared.
    """
    submissions.awaits_archive(conn, caller, submission_id)
    most = settings.max_archive_bytes
    if declared.bytes is not None and declared.bytes > most:
        raise TooLargeError(f"The archive has {declared.bytes:,} bytes; at most {most:,} are allowed.")
    begun = store.add(
        conn,
        submission_id,
        archive_key=new_archive_key(submission_id),
        part_bytes=part_bytes(settings),
        most_bytes=most,
        declared=declared,
        lifetime=timedelta(seconds=settings.upload_lifetime_seconds),
    )
    if begun is None:
        raise ConflictError(
            "The submission has an open upload.",
            remedy="Go on with it (GET this address names it), or give it up (DELETE) and begin another.",
        )
    return begun


def part_bytes(settings: Settings) -> int:
    """How large parts are here: as the settings say, or larger where that would be more parts than a storage takes."""
    least = -(-settings.max_archive_bytes // _MOST_PARTS)
    return max(settings.upload_part_bytes, -(-least // _MIB) * _MIB if least > settings.upload_part_bytes else 0)


def sign(
    conn: Connection, caller: Caller, upload: tuple[UUID, UUID], wanted: Sequence[Part], *, storage: Parts, seconds: int
) -> list[SignedPart]:
    """Requests that store ``wanted``.

    The first call begins the upload at the storage, where its row is long committed: the sweep knows of all that may
    lie there.

    Raises NotFoundError, MissingUploadError, InvalidError for a part that cannot be one, PartDiffersError for one that
    was signed with another content.
    """
    found = _open(conn, caller, *upload)
    for part in wanted:
        _check(found, part)
    store.add_parts(conn, found.id, wanted)
    signed = store.parts(conn, found.id)
    for part in wanted:
        if signed[part.number] != part:
            raise PartDiffersError(f"Part {part.number:,} was announced with another content before.")
    name = found.storage_id
    if name is None:
        name = storage.begin(found.archive_key)
        store.set_storage_id(conn, found.id, name)
    return [storage.sign(found.archive_key, name, part, seconds=seconds) for part in wanted]


def _check(upload: Upload, part: Part) -> None:
    if part.number > upload.most_parts:
        raise InvalidError(f"There is no part {part.number:,}; the last one may have number {upload.most_parts:,}.")
    left = upload.whole_bytes - (part.number - 1) * upload.part_bytes
    most = min(upload.part_bytes, left)
    exactly = upload.declared_bytes is not None
    if part.size > most or (exactly and part.size != most):
        words = "exactly" if exactly else "at most"
        raise InvalidError(f"Part {part.number:,} has {part.size:,} bytes; it must have {words} {most:,}.")


def arrived(conn: Connection, upload: Upload, storage: Storage) -> list[Part]:
    """The parts that are stored, by number, with the sizes that the storage counts; none once the upload is over."""
    if upload.state != "open":
        return []
    signed = store.parts(conn, upload.id)
    sizes = _sizes(upload, signed, storage)
    return [signed[number]._replace(size=size) for number, size in sorted(sizes.items()) if number in signed]


def _sizes(upload: Upload, signed: Mapping[int, Part], storage: Storage) -> Mapping[int, int]:
    if upload.storage_id is None:
        return {}
    try:
        return storage.parts.arrived(upload.archive_key, upload.storage_id)
    except MissingUploadError:
        if not storage.exists(upload.archive_key):
            raise
        return {part.number: part.size for part in signed.values()}  # put together by a call whose transaction was lost


def complete(
    conn: Connection, caller: Caller, submission_id: UUID, upload_id: UUID, declared: Declared, *, storage: Storage
) -> tuple[Submission, bool]:
    """Make the archive of the parts and hand it to the gate; the submission, and whether this call did it.

    Who asks again after it was done gets the submission as it is. Raises NotFoundError, ConflictError,
    MissingUploadError, and LengthMismatchError when parts are missing or the whole is not what was announced.
    """
    found = _locked(conn, caller, submission_id, upload_id)
    if found.state == "completed":
        return submissions.visible(conn, caller, submission_id), False
    submissions.awaits_archive(conn, caller, submission_id)
    _still_open(found)
    parts = _whole(conn, found, declared, storage)
    size = storage.parts.complete(found.archive_key, found.storage_id or "", parts)
    if size != sum(part.size for part in parts):
        raise StorageError("The storage made another object of the parts than it was told to.")
    store.end(conn, found.id, "completed", sha256=declared.sha256)
    return submissions.accept_unread_archive(conn, submission_id, key=found.archive_key, size=size), True


def _whole(conn: Connection, upload: Upload, declared: Declared, storage: Storage) -> list[Part]:
    """The parts that make the archive, once all that can be known without reading it is right."""
    signed = store.parts(conn, upload.id)
    if not signed:
        raise LengthMismatchError("No part has arrived.", remedy="Ask for the URLs of the parts and send them.")
    sizes = _sizes(upload, signed, storage)
    _check_numbers(signed, sizes, declared)
    _check_sizes(upload, signed, sizes, declared)
    return [signed[number] for number in sorted(signed)]


def _check_numbers(signed: Mapping[int, Part], sizes: Mapping[int, int], declared: Declared) -> None:
    wanted = range(1, max(max(signed), declared.parts or 0) + 1)
    missing = [number for number in wanted if number not in sizes or number not in signed]
    if missing:
        named = ", ".join(map(str, missing[:_SHOWN])) + (" …" if len(missing) > _SHOWN else "")
        raise LengthMismatchError(
            f"{len(missing):,} of {len(wanted):,} parts have not arrived: {named}.", remedy="Send them, then ask again."
        )
    if declared.parts is not None and declared.parts != len(wanted):
        raise LengthMismatchError(f"{len(wanted):,} parts have arrived, {declared.parts:,} were announced.")


def _check_sizes(upload: Upload, signed: Mapping[int, Part], sizes: Mapping[int, int], declared: Declared) -> None:
    last = max(signed)
    for number in sorted(signed):
        whole = upload.part_bytes if number != last else signed[number].size
        if not sizes[number] == signed[number].size == whole:
            raise LengthMismatchError(
                f"Part {number:,} has {sizes[number]:,} bytes; {whole:,} are needed.",
                remedy="Only the last part may be smaller. Give the upload up and begin another.",
            )
    total = sum(sizes[number] for number in signed)
    announced = {upload.declared_bytes, declared.bytes} - {None}
    if announced and announced != {total}:
        raise LengthMismatchError(f"{total:,} bytes have arrived; another number was announced.")
    if upload.declared_sha256 and declared.sha256 and upload.declared_sha256 != declared.sha256:
        raise ConflictError(
            "The sha256 of the whole is another than at the beginning.",
            remedy="The file has changed since: give the upload up and begin another.",
        )


def abort(conn: Connection, caller: Caller, submission_id: UUID, upload_id: UUID) -> Upload:
    """Give an upload up; the sweep throws its parts away. Nothing happens to one that was given up before.

    Raises NotFoundError, and ConflictError for one that was completed.
    """
    found = _locked(conn, caller, submission_id, upload_id)
    if found.state == "completed":
        raise ConflictError("The upload is complete.", remedy="Withdraw the submission if it shall not be scored.")
    store.end(conn, found.id, "aborted")
    return found


def own(conn: Connection, caller: Caller, submission_id: UUID, upload_id: UUID) -> Upload:
    """An upload of the caller's own team. Raises NotFoundError."""
    submissions.own(conn, caller, submission_id)
    return _found(store.get(conn, submission_id, upload_id))


def _open(conn: Connection, caller: Caller, submission_id: UUID, upload_id: UUID) -> Upload:
    found = _locked(conn, caller, submission_id, upload_id)
    submissions.awaits_archive(conn, caller, submission_id)
    _still_open(found)
    return found


def _locked(conn: Connection, caller: Caller, submission_id: UUID, upload_id: UUID) -> Upload:
    submissions.own(conn, caller, submission_id)
    return _found(store.lock(conn, submission_id, upload_id))


def _still_open(upload: Upload) -> None:
    if upload.state != "open" or upload.expired:
        words = "The upload has expired." if upload.expired else "The upload was given up."
        raise MissingUploadError(words, remedy="Begin another upload.")


def _found(upload: Upload | None) -> Upload:
    if upload is None:
        raise MissingUploadError("The submission has no such upload.")
    return upload
