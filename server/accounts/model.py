"""What a sign-in is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whom a provider vouches for. ``email_verified`` is what the provider itself says of ``email``."""

    issuer: str
    subject: str
    name: str
    email: str | None
    email_verified: bool


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A sign-in that has begun: what must come back unchanged, and where the user goes afterwards."""

    provider: str
    verifier: str
    nonce: str
    return_to: str


class Begun(NamedTuple):
    """Where to send the browser, and the secret that it keeps until it comes back."""

    address: str
    browser: str


class Answer(NamedTuple):
    """What the provider sent back by the browser (RFC 6749, 4.1.2; RFC 9207)."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None
