"""Why a database does not take us, in words of ours: a driver's may hold parts of the address."""

from __future__ import annotations

import psycopg

_WORDS = (
    ("password authentication failed", "it refuses the user or the password"),
    ("no password supplied", "it wants a password and the address has none"),
    ("no pg_hba.conf entry", "it does not let this machine or this user in"),
    ("does not exist", "it has no such database or user"),
    ("connection refused", "nothing listens there"),
    ("no such file or directory", "nothing listens there"),
    ("resolve host", "its host is unknown"),
    ("translate host name", "its host is unknown"),
    ("name or service not known", "its host is unknown"),
    ("timeout", "it does not answer in time"),
    ("too many clients", "it has no connection left"),
    ("starting up", "it is still starting"),
)


def trouble(error: psycopg.Error) -> str:
    """Why ``error`` happened, as the part of a sentence; never a piece of the address."""
    if error.diag.message_primary:
        return f"it says: {error.diag.message_primary}"
    said = str(error).lower()
    return next((words for sign, words in _WORDS if sign in said), "it does not answer")
