"""Signing in at a provider: begun, come back, and a session of the website."""

from __future__ import annotations

from datetime import timedelta

from psycopg import Connection
from psycopg_pool import ConnectionPool

from server.accounts import clients, store
from server.accounts.directory import Directory
from server.accounts.errors import StaleSignInError
from server.accounts.model import Answer, Begun, Identity, Pending
from server.db import audit
from server.db.pool import transaction
from server.errors import NotFoundError
from server.providers import Provider
from server.settings import Settings
from server.teams import secrets, tokens_store, users_store
from server.teams.model import User
from server.teams.service import development_user, maintains

SIGN_IN_LIFETIME = timedelta(minutes=10)


def provider_of(settings: Settings, provider_id: str) -> Provider:
    """A provider that the settings name. Raises NotFoundError."""
    for provider in settings.providers:
        if provider.id == provider_id:
            return provider
    raise NotFoundError(f"Nobody signs in at {provider_id!r} here.", remedy="GET /api/v1/sign-in lists the providers.")


def begin(
    pool: ConnectionPool,
    settings: Settings,
    directory: Directory,
    provider: Provider,
    *,
    browser: str | None,
    return_to: str,
) -> Begun:
    """Begin a sign-in; ``browser`` is the secret that this browser keeps already. Raises ProviderError.

    The provider is asked before the database: no connection waits for somebody else's service.
    """
    made = clients.Secrets(secrets.fresh(), secrets.fresh(), secrets.fresh())
    address = clients.authorization_address(directory, provider, made, redirect_uri=redirect_uri(settings, provider))
    browser = browser or secrets.fresh()
    pending = Pending(provider=provider.id, verifier=made.verifier, nonce=made.nonce, return_to=return_to)
    with transaction(pool) as conn:
        store.begin(
            conn,
            pending,
            hashed=secrets.hashed(settings, made.state),
            browser_hash=secrets.hashed(settings, browser),
            lifetime=SIGN_IN_LIFETIME,
        )
    return Begun(address, browser)


def finish(
    pool: ConnectionPool,
    settings: Settings,
    directory: Directory,
    provider: Provider,
    answer: Answer,
    *,
    browser: str | None,
) -> tuple[str, str]:
    """The secret of a fresh session, and where the user goes. Raises SignInError; then nothing is kept."""
    with transaction(pool) as conn:
        pending = store.take(
            conn,
            hashed=secrets.hashed(settings, answer.state),
            browser_hash=secrets.hashed(settings, browser or ""),
            provider=provider.id,
        )
    if pending is None:
        raise StaleSignInError
    found = clients.identify(directory, provider, answer, pending, redirect_uri=redirect_uri(settings, provider))
    with transaction(pool) as conn:
        return _session(conn, settings, _user(conn, found)), pending.return_to


def redirect_uri(settings: Settings, provider: Provider) -> str:
    """Where the provider sends browsers back to; it is registered there."""
    return f"{settings.public_url}/api/v1/sign-in/{provider.id}/callback"


def development_session(conn: Connection, settings: Settings, *, team: str | None) -> str:
    """The secret of a session for a team, or the maintainer; NotFoundError where the settings do not allow it."""
    user, _ = development_user(conn, settings, team=team)
    return _session(conn, settings, user)


def _user(conn: Connection, found: Identity) -> User:
    return users_store.signed_in(
        conn,
        issuer=found.issuer,
        subject=found.subject,
        name=found.name,
        email=found.email,
        email_verified=found.email_verified,
    )


def _session(conn: Connection, settings: Settings, user: User) -> str:
    may_maintain = maintains(settings, user)
    secret = secrets.fresh(secrets.SESSION_PREFIX)
    tokens_store.begin_session(
        conn,
        user.id,
        hashed=secrets.hashed(settings, secret),
        maintainer=may_maintain,
        lifetime=timedelta(days=settings.session_days),
    )
    if may_maintain:
        audit.record(conn, actor=f"user:{user.id}", action="maintainer.signed-in", subject=str(user.id))
    return secret
