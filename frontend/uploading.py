"""A zip on its way from a disk to the service: in parts, several at a time, going on where an earlier run stopped."""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from frontend.client import Client
from frontend.errors import ClientError
from frontend.parts import Courier, Piece, Stopped
from frontend.resources import Submission
from frontend.resuming import Identity, Memory
from frontend.uploads import Upload

_CHUNK_BYTES = 1024 * 1024
_WAITING = ("created",)
_LOST = 404


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Who is told what happens: of how many bytes there were before, and of each that goes out (or in vain: back)."""

    going_on: Callable[[str], None]
    there: Callable[[int], None]
    moved: Callable[[int], None]


def deliver(
    client: Client, archive: Path, wish: Mapping[str, str], *, folder: Path, listener: Listener, parallel: int
) -> Submission:
    """Announce a submission and bring its archive; after an interruption the same call goes on with both.

    `wish` is what `Client.create` takes, `folder` where progress is remembered. Raises ClientError, also when the file
    is empty or changes meanwhile.
    """
    identity = _identity(archive)
    memory = Memory(folder, url=client.url, identity=identity, wish=wish)
    submission = _announced(client, wish, memory)
    if submission.state in _WAITING:
        submission = _bring(client, submission, archive, identity, memory, listener, parallel)
    memory.forget()
    return submission


def _identity(archive: Path) -> Identity:
    identity = Identity.of(archive)
    if identity.size == 0:
        raise ClientError(code="empty_file", title=f"{archive} is empty", remedy="Zip the images anew.", status=422)
    return identity


def _announced(client: Client, wish: Mapping[str, str], memory: Memory) -> Submission:
    """The submission of an earlier run, if it can be gone on with or is done; else a new one."""
    if memory.progress.submission:
        try:
            found = client.submission(memory.progress.submission)
        except ClientError as error:
            if error.status != _LOST:
                raise
        else:
            if found.state != "withdrawn":
                return found
        memory.begin_anew()
    memory.note()  # the key is on disk before it is used: whoever is stopped now repeats the request and not the act
    made = client.create(**wish, idempotency_key=memory.progress.key)
    memory.note(submission=made.id)
    return client.submission(made.id)


def _bring(
    client: Client,
    submission: Submission,
    archive: Path,
    identity: Identity,
    memory: Memory,
    listener: Listener,
    parallel: int,
) -> Submission:
    upload = _opened(client, submission, memory, identity.size)
    try:
        sha256 = _send(client, upload, archive, listener, parallel)
    except ClientError as error:
        if error.code != "part-differs":
            raise
        # The open upload was begun for another content: somebody else's, or this file's before it changed.
        client.abort_upload(upload)
        upload = _begun(client, submission, memory, identity.size)
        sha256 = _send(client, upload, archive, listener, parallel)
    if Identity.of(archive) != identity:
        client.abort_upload(upload)
        raise ClientError(
            code="file_changed",
            title="The file changed while it was sent",
            remedy="Submit it again once it is finished; nothing was handed in.",
            status=422,
        )
    return client.complete_upload(upload, parts=_count(upload, identity.size), size=identity.size, sha256=sha256)


def _opened(client: Client, submission: Submission, memory: Memory, size: int) -> Upload:
    """The upload of an earlier run while it is open, else another open one of that size, else a new one."""
    found = _found(client, submission, memory.progress.upload) if memory.progress.upload else None
    if found and found.state == "open":
        return found
    return _begun(client, submission, memory, size)


def _begun(client: Client, submission: Submission, memory: Memory, size: int) -> Upload:
    for known in client.uploads(submission.id):
        if known.state != "open":
            continue
        found = _found(client, submission, known.id) if known.size == size else None
        if found:  # begun by a run whose answer was lost
            memory.note(upload=found.id)
            return found
        client.abort_upload(known)
    begun = client.begin_upload(submission.id, size=size)
    memory.note(upload=begun.id)
    return begun


def _found(client: Client, submission: Submission, upload: str) -> Upload | None:
    """An upload with its parts; None when it, or what the storage has of it, is gone."""
    try:
        return client.upload_of(submission.id, upload)
    except ClientError as error:
        if error.status != _LOST:
            raise
        return None


def _count(upload: Upload, size: int) -> int:
    return -(-size // upload.part_bytes)


def _send(client: Client, upload: Upload, archive: Path, listener: Listener, parallel: int) -> str:
    """Bring all parts that have not arrived; the sha256 of the whole. The file is read once in order for the hashes."""
    whole = hashlib.sha256()
    if upload.parts:
        listener.going_on(upload.submission)
    ahead = threading.BoundedSemaphore(parallel + 1)
    flights: list[Future[None]] = []
    with (
        ThreadPoolExecutor(max_workers=parallel) as pool,
        closing(Courier(client, upload, archive, moved=listener.moved)) as courier,
    ):
        try:
            for piece in _pieces(archive, upload.part_bytes, whole.update):
                if upload.parts.get(piece.number) == (piece.size, piece.sha256):
                    listener.there(piece.size)
                    continue
                ahead.acquire()
                _raise_first(flights)
                flights.append(pool.submit(courier.bring, piece))
                flights[-1].add_done_callback(lambda _: ahead.release())
            for flight in flights:
                flight.result()
        except BaseException:
            courier.close()
            pool.shutdown(wait=True, cancel_futures=True)
            _raise_first(flights)
            raise
    return whole.hexdigest()


def _raise_first(flights: list[Future[None]]) -> None:
    """The first real failure; parts that were only stopped because of it do not count."""
    for flight in flights:
        error = flight.exception() if flight.done() and not flight.cancelled() else None
        if error is not None and not isinstance(error, Stopped):
            raise error


def _pieces(archive: Path, part_bytes: int, update: Callable[[bytes], None]) -> Iterator[Piece]:
    """The file's parts in order, each with its hash; `update` sees every byte on the way."""
    offset, number = 0, 0
    with archive.open("rb") as stream:
        while True:
            own, size = hashlib.sha256(), 0
            while size < part_bytes and (chunk := stream.read(min(_CHUNK_BYTES, part_bytes - size))):
                own.update(chunk)
                update(chunk)
                size += len(chunk)
            if not size:
                return
            number += 1
            yield Piece(number=number, offset=offset, size=size, sha256=own.hexdigest())
            offset += size
