"""Sign-ins on their way, in the database."""

from __future__ import annotations

from datetime import timedelta

from psycopg import Connection

from server.accounts.model import Pending
from server.db.queries import Queries

_QUERIES = Queries("accounts")


def begin(conn: Connection, pending: Pending, *, hashed: bytes, browser_hash: bytes, lifetime: timedelta) -> None:
    """Remember a sign-in by the hash of its state; those that nobody came back from are forgotten."""
    _QUERIES.run(conn, "forget_old")
    _QUERIES.run(
        conn,
        "begin",
        hash=hashed,
        browser_hash=browser_hash,
        provider=pending.provider,
        verifier=pending.verifier,
        nonce=pending.nonce,
        return_to=pending.return_to,
        lifetime=lifetime,
    )


def take(conn: Connection, *, hashed: bytes, browser_hash: bytes, provider: str) -> Pending | None:
    """The sign-in of that state, begun in that browser at that provider; nobody gets it a second time."""
    return _QUERIES.maybe(conn, "take", Pending, hash=hashed, browser_hash=browser_hash, provider=provider)
