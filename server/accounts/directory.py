"""What OpenID Connect providers say of themselves: endpoints and keys (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from server.accounts.errors import ProviderError

_KEPT_SECONDS = 3600.0
_NEW_KEYS_SECONDS = 60.0
"""An unknown key makes us ask again, so that providers can change keys; not more often than this."""
_TIMEOUT = 10.0
_LARGEST_ANSWER = 1024 * 1024
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """A provider's discovery document, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    token_auth_methods: tuple[str, ...]
    says_issuer: bool
    """Whether answers name their issuer (RFC 9207)."""


class Directory:
    """Providers' documents by issuer. Threads may share one."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._metadata: dict[str, tuple[float, Metadata]] = {}
        self._keys: dict[str, tuple[float, KeySet]] = {}

    def metadata(self, issuer: str) -> Metadata:
        """The endpoints of a provider. Raises ProviderError."""
        kept = self._metadata.get(issuer)
        if kept is None or self._clock() - kept[0] > _KEPT_SECONDS:
            found = get_json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            kept = self._metadata[issuer] = (self._clock(), _read(found, issuer=issuer))
        return kept[1]

    def keys(self, metadata: Metadata, *, afresh: bool = False) -> KeySet:
        """The keys that a provider signs with; ``afresh`` after one that was not among them. Raises ProviderError."""
        kept = self._keys.get(metadata.jwks_uri)
        most = _NEW_KEYS_SECONDS if afresh else _KEPT_SECONDS
        if kept is None or self._clock() - kept[0] > most:
            try:
                found = KeySet.import_key_set(get_json(metadata.jwks_uri))
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise ProviderError("The provider's keys cannot be read.") from error
            kept = self._keys[metadata.jwks_uri] = (self._clock(), found)
        return kept[1]


def get_json(address: str, *, client: httpx2.Client | None = None, **options: Any) -> Any:
    """What an address of a provider answers. Raises ProviderError, which repeats nothing of the answer."""
    try:
        answer = (
            client.get(address, timeout=_TIMEOUT, **options)
            if client
            else httpx2.get(address, timeout=_TIMEOUT, **options)
        )
        answer.raise_for_status()
        if len(answer.content) > _LARGEST_ANSWER:
            raise ProviderError("The provider's answer is too large.")
        return answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise ProviderError("The provider does not answer as it should.") from error


def _read(found: Any, *, issuer: str) -> Metadata:
    # The document must be the issuer's own: one that names another could pass another's users off as its own.
    if not isinstance(found, dict) or str(found.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
        raise ProviderError("The provider's discovery document names another issuer.")
    if not all(isinstance(found.get(name), str) for name in _NEEDED):
        raise ProviderError("The provider's discovery document lacks an endpoint.")
    return Metadata(
        issuer=found["issuer"],
        **{name: found[name] for name in _NEEDED},
        userinfo_endpoint=found.get("userinfo_endpoint"),
        token_auth_methods=tuple(found.get("token_endpoint_auth_methods_supported") or ("client_secret_basic",)),
        says_issuer=bool(found.get("authorization_response_iss_parameter_supported")),
    )
