"""Open uploads with parts that have arrived, made through the stores that the service uses."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from psycopg import Connection

from server.storage.local import LocalStorage
from server.storage.port import Part, SignedClaim, new_archive_key
from server.submissions.multipart import store
from server.submissions.multipart.model import Declared

PART = 256 * 1024


class Begun(NamedTuple):
    """An upload: its id, where its archive will lie, and the signed URLs of its parts."""

    id: UUID
    key: str
    urls: list[str]


def part(number: int, content: bytes) -> Part:
    return Part(number, len(content), hashlib.sha256(content).hexdigest())


def begun(conn: Connection, storage: LocalStorage, submission_id: UUID, *contents: bytes) -> Begun:
    """An open upload of these parts, all of which have arrived."""
    upload = store.add(
        conn,
        submission_id,
        archive_key=new_archive_key(submission_id),
        part_bytes=PART,
        most_bytes=16 * PART,
        declared=Declared(),
        lifetime=timedelta(hours=1),
    )
    assert upload is not None
    name = storage.parts.begin(upload.archive_key)
    store.set_storage_id(conn, upload.id, name)
    parts = [part(number, content) for number, content in enumerate(contents, start=1)]
    store.add_parts(conn, upload.id, parts)
    urls = [storage.parts.sign(upload.archive_key, name, one, seconds=600).url for one in parts]
    for one, url, content in zip(parts, urls, contents, strict=True):
        said = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        storage.parts.take(name, SignedClaim(one, int(said["expires"]), said["signature"]), [content])
    return Begun(upload.id, upload.archive_key, urls)
