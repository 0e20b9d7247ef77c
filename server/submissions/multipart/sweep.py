"""Uploads that are over: whatever ended them, nothing of them stays at the storage but an archive that was accepted."""

from __future__ import annotations

import logging

from psycopg_pool import ConnectionPool

from server.db.pool import transaction
from server.errors import StorageError
from server.storage.port import Storage
from server.submissions.multipart import store
from server.submissions.multipart.model import Over

_LOG = logging.getLogger("gsi.uploads")


def sweep(pool: ConnectionPool, storage: Storage) -> int:
    """Throw away the parts of uploads that were given up, have expired or are no longer wanted; how many were cleaned.

    They are given up in a transaction of its own first: whoever completes one at the same time is done by then or
    refused. What the storage does not do now is done at the next sweep.
    """
    with transaction(pool) as conn:
        found = store.over(conn)
    return sum(_clean(pool, storage, one) for one in found)


def _clean(pool: ConnectionPool, storage: Storage, upload: Over) -> bool:
    try:
        storage.parts.abort(upload.archive_key)
        if not upload.completed:
            storage.delete(upload.archive_key)
    except StorageError:
        _LOG.exception("the parts of upload %s cannot be thrown away now", upload.id)
        return False
    with transaction(pool) as conn:
        store.cleaned(conn, upload.id)
    return True
