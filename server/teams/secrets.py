"""Secrets that are handed out once and kept as keyed hashes: tokens, sessions, invitations, sign-ins on their way."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from server.settings import Settings

TOKEN_PREFIX, SESSION_PREFIX, INVITATION_PREFIX = "gsi_", "gsis_", "gsii_"
_SHOWN_CHARACTERS = 12


def fresh(prefix: str = "") -> str:
    """A new secret of 256 bits."""
    return prefix + secrets.token_urlsafe(32)


def shown(secret: str) -> str:
    """The part by which an owner tells secrets apart."""
    return secret[:_SHOWN_CHARACTERS]


def hashed(settings: Settings, secret: str) -> bytes:
    """What is kept of a secret: nobody who reads the database can use it, or try secrets without the key."""
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, secret.encode(), hashlib.sha256).digest()
