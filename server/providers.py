"""Where users may sign in: what an operator says of an OpenID Connect or OAuth 2.0 provider, and two presets."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from server.addresses import is_web_address

_HERE = {"127.0.0.1", "localhost", "::1"}


class _Provider(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    title: str = Field(min_length=1, max_length=60)
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    """None for a public client: PKCE alone proves that we began."""


class OidcProvider(_Provider):
    """An OpenID Connect provider; everything else is read from its discovery document."""

    kind: Literal["oidc"] = "oidc"
    issuer: str
    scopes: str = "openid profile email"

    @field_validator("issuer")
    @classmethod
    def _secure(cls, value: str) -> str:
        return _secure_address(value)


class OAuthProvider(_Provider):
    """An OAuth 2.0 provider that tells of its users at an address of its own.

    ``subject`` names the member of that answer that never changes for one account.
    """

    kind: Literal["oauth2"] = "oauth2"
    issuer: str
    scopes: str
    authorization_endpoint: str
    token_endpoint: str
    user_endpoint: str
    emails_endpoint: str | None = None
    """Answers a list of ``{email, primary, verified}``; without one no e-mail counts as verified."""
    subject: str

    @field_validator("issuer", "authorization_endpoint", "token_endpoint", "user_endpoint", "emails_endpoint")
    @classmethod
    def _secure(cls, value: str | None) -> str | None:
        return None if value is None else _secure_address(value)


Provider = OidcProvider | OAuthProvider


def hugging_face(client_id: str, client_secret: SecretStr | None) -> OidcProvider:
    """The preset of Hugging Face (https://huggingface.co/docs/hub/oauth)."""
    return OidcProvider(
        id="huggingface",
        title="Hugging Face",
        issuer="https://huggingface.co",
        client_id=client_id,
        client_secret=client_secret,
    )


def github(client_id: str, client_secret: SecretStr | None) -> OAuthProvider:
    """The preset of GitHub, which speaks OAuth 2.0 for users (https://docs.github.com/apps/oauth-apps)."""
    return OAuthProvider(
        id="github",
        title="GitHub",
        issuer="https://github.com",
        client_id=client_id,
        client_secret=client_secret,
        scopes="read:user user:email",
        authorization_endpoint="https://github.com/login/oauth/authorize",
        token_endpoint="https://github.com/login/oauth/access_token",  # noqa: S106 - an address
        user_endpoint="https://api.github.com/user",
        emails_endpoint="https://api.github.com/user/emails",
        subject="id",
    )


def _secure_address(value: str) -> str:
    if not is_web_address(value):
        raise ValueError("is not an address of the form https://host/path")
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in _HERE:
        raise ValueError("must be https: what a provider says must not be changed on its way")
    return value
