"""How long the next attempt waits: longer each time, and never all at once."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from server.settings import Settings


def delay(attempt: int, *, seed: str, settings: Settings) -> timedelta:
    """The wait before attempt number ``attempt`` (from 1, which waits for nothing).

    Doubled for each attempt up to the settings' most, then 0.5 to 1 of it, by ``seed``: what failed together does not
    come back together, and a test can say what will happen.
    """
    if attempt <= 1:
        return timedelta(0)
    whole = min(settings.retry_seconds * 2.0 ** min(attempt - 2, 60), settings.longest_retry_seconds)
    share = int.from_bytes(hashlib.sha256(f"{seed} {attempt}".encode()).digest()[:8]) / 2**64
    return timedelta(seconds=whole * (0.5 + share / 2))
