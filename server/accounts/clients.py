"""Speaking with providers: the authorization code flow with PKCE, state and nonce, by authlib and joserfc.

RFC 6749 4.1, RFC 7636 (S256), RFC 9207, OpenID Connect Core 1.0 (3.1), RFC 9700 (best current practice).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from server.accounts.directory import Directory, Metadata, get_json
from server.accounts.errors import DeniedError, ProviderError, SignInError
from server.accounts.model import Answer, Identity, Pending
from server.providers import OAuthProvider, OidcProvider, Provider

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a provider's private key; none that our own secret or nobody could make."""
_LEEWAY_SECONDS = 60
_TIMEOUT = 10.0
_LONGEST_NAME = 120


class Secrets(NamedTuple):
    """What one sign-in is bound to; made by the caller, who keeps it until the user comes back."""

    state: str
    nonce: str
    verifier: str


def authorization_address(directory: Directory, provider: Provider, secrets: Secrets, *, redirect_uri: str) -> str:
    """Where a user signs in at ``provider``. Raises ProviderError."""
    if isinstance(provider, OidcProvider):
        endpoint = directory.metadata(provider.issuer).authorization_endpoint
        more = {"nonce": secrets.nonce}
    else:
        endpoint, more = provider.authorization_endpoint, {}
    with _client(provider, redirect_uri=redirect_uri) as client:
        address, _ = client.create_authorization_url(
            endpoint, state=secrets.state, code_verifier=secrets.verifier, **more
        )
    return str(address)


def identify(
    directory: Directory, provider: Provider, answer: Answer, pending: Pending, *, redirect_uri: str
) -> Identity:
    """Whom the provider vouches for, by the code that the browser brought. Raises SignInError."""
    if answer.error is not None or not answer.code:
        raise DeniedError
    if isinstance(provider, OidcProvider):
        return _by_id_token(directory, provider, answer, pending, redirect_uri=redirect_uri)
    return _by_user_endpoint(provider, answer, pending, redirect_uri=redirect_uri)


def _by_id_token(
    directory: Directory, provider: OidcProvider, answer: Answer, pending: Pending, *, redirect_uri: str
) -> Identity:
    metadata = directory.metadata(provider.issuer)
    if (metadata.says_issuer or answer.issuer) and answer.issuer != metadata.issuer:
        raise ProviderError("The answer comes from another issuer.")
    methods = metadata.token_auth_methods
    method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
    with _client(provider, redirect_uri=redirect_uri, method=method) as client:
        token = _exchange(client, metadata.token_endpoint, answer, pending)
        claims = checked_claims(directory, metadata, provider, str(token.get("id_token", "")), nonce=pending.nonce)
        if metadata.userinfo_endpoint:
            # What it says of another subject is not ours to use (OpenID Connect Core 5.3.2).
            told = get_json(metadata.userinfo_endpoint, client=client)
            if isinstance(told, dict) and told.get("sub") == claims["sub"]:
                claims = {**told, **claims}
    return Identity(
        issuer=metadata.issuer,
        subject=str(claims["sub"]),
        name=_name(claims, "name", "preferred_username", "email"),
        email=_text(claims.get("email")),
        email_verified=claims.get("email_verified") is True,
    )


def checked_claims(
    directory: Directory, metadata: Metadata, provider: OidcProvider, id_token: str, *, nonce: str
) -> dict[str, Any]:
    """The claims of an ID token that is signed by its issuer, for us, for this sign-in and not over.

    Raises ProviderError (OpenID Connect Core 3.1.3.7).
    """
    expected = jwt.JWTClaimsRegistry(
        leeway=_LEEWAY_SECONDS,
        iss={"essential": True, "value": metadata.issuer},
        aud={"essential": True, "values": [provider.client_id]},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        claims = _decoded(directory, metadata, id_token)
        expected.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderError("The provider's ID token is not valid.") from error
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise ProviderError("The provider's ID token was made for another client.")
    return claims


def _decoded(directory: Directory, metadata: Metadata, id_token: str) -> dict[str, Any]:
    try:
        return jwt.decode(id_token, directory.keys(metadata), algorithms=_ALGORITHMS).claims
    except (InvalidKeyIdError, ValueError):
        return jwt.decode(id_token, directory.keys(metadata, afresh=True), algorithms=_ALGORITHMS).claims


def _by_user_endpoint(provider: OAuthProvider, answer: Answer, pending: Pending, *, redirect_uri: str) -> Identity:
    with _client(provider, redirect_uri=redirect_uri, method="client_secret_post") as client:
        _exchange(client, provider.token_endpoint, answer, pending)
        told = get_json(provider.user_endpoint, client=client)
        emails = get_json(provider.emails_endpoint, client=client) if provider.emails_endpoint else []
    if not isinstance(told, Mapping) or not told.get(provider.subject):
        raise ProviderError("The provider does not say who this is.")
    email = primary_email(emails)
    return Identity(
        issuer=provider.issuer,
        subject=str(told[provider.subject]),
        name=_name(told, "name", "login", "preferred_username"),
        email=email,
        email_verified=email is not None,
    )


def primary_email(emails: Any) -> str | None:
    """The address that a list of ``{email, primary, verified}`` marks as primary, if it is verified."""
    for each in emails if isinstance(emails, list) else []:
        if isinstance(each, Mapping) and each.get("primary") is True and each.get("verified") is True:
            return _text(each.get("email"))
    return None


def _exchange(client: Any, endpoint: str, answer: Answer, pending: Pending) -> Mapping[str, Any]:
    try:
        found = client.fetch_token(endpoint, code=answer.code, code_verifier=pending.verifier)
    except OAuthError as error:
        raise SignInError("The provider does not take the code that it gave.") from error
    except (httpx2.HTTPError, ValueError) as error:
        raise ProviderError("The provider does not answer as it should.") from error
    if not isinstance(found, Mapping) or not found.get("access_token"):
        raise ProviderError("The provider gave no token.")
    return found


def _client(provider: Provider, *, redirect_uri: str, method: str | None = None) -> Any:
    secret = provider.client_secret.get_secret_value() if provider.client_secret else None
    return OAuth2Client(
        provider.client_id,
        secret,
        token_endpoint_auth_method=method if secret else "none",
        scope=provider.scopes,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
        timeout=_TIMEOUT,
    )


def _name(told: Mapping[str, Any], *members: str) -> str:
    """The first of the members that says anything; what cannot be seen or breaks lines is left out."""
    for member in members:
        text = "".join(one for one in _text(told.get(member)) or "" if one.isprintable() and one not in "<>")
        if text.strip():
            return " ".join(text.split())[:_LONGEST_NAME]
    return "Unnamed"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
