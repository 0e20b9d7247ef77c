"""Why a sign-in came to nothing. The browser is sent to a page that says it in words; ``code`` is its key."""

from __future__ import annotations

from server.errors import GsiError


class SignInError(GsiError):
    """A sign-in that did not end well."""

    status, code, title = 400, "sign-in-failed", "The sign-in did not work"
    remedy = "Sign in again."


class StaleSignInError(SignInError):
    """Nothing is known of this sign-in: too old, used already, or begun in another browser."""

    code, title = "sign-in-stale", "This sign-in is over"
    remedy = "Sign in again, in one browser and within ten minutes."


class DeniedError(SignInError):
    """The user or the provider said no."""

    code, title = "sign-in-denied", "The provider did not let you in"


class ProviderError(SignInError):
    """The provider does not answer, or not as it should."""

    status, code, title = 502, "provider-failed", "The sign-in provider could not be used"
    remedy = "Try again in a minute; tell the maintainers if it stays."
