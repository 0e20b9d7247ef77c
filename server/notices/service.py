"""Use-cases of notices' targets. Each runs inside the caller's transaction; nothing here commits.

Secrets and confirmation codes are derived from the service's key and the target's id: none is stored.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection

from server.errors import ConflictError, InvalidError, NotFoundError
from server.notices import store
from server.notices.model import CONFIRM, TEST, Kind, Target
from server.settings import Settings

MOST_TARGETS = 10
_CODE_CHARACTERS = 10


class Added(NamedTuple):
    """A new target; ``secret`` signs what a webhook gets and is shown this once (empty for e-mail)."""

    target: Target
    secret: str


def secret_of(settings: Settings, target_id: UUID) -> str:
    """What signs the notices to a webhook, in the form of the Standard Webhooks specification."""
    return "whsec_" + b64encode(_derived(settings, "webhook", target_id)).decode()


def code_of(settings: Settings, target_id: UUID) -> str:
    """What the owner of an e-mail address must know to confirm it."""
    return _derived(settings, "confirmation", target_id).hex()[:_CODE_CHARACTERS]


def _derived(settings: Settings, use: str, target_id: UUID) -> bytes:
    key = settings.secret_key.get_secret_value().encode()
    return hmac.new(key, f"notices/{use}/{target_id}".encode(), hashlib.sha256).digest()


def add_webhook(conn: Connection, settings: Settings, *, team_id: UUID, url: str) -> Added:
    """Tell a webhook from now on. Raises InvalidError for plain http in production, ConflictError as `_add`."""
    if settings.environment == "production" and not url.startswith("https://"):
        raise InvalidError("A webhook's address begins with https://.", remedy="Serve it over TLS.")
    target = _add(conn, team_id=team_id, kind="webhook", address=url, confirmed=True)
    return Added(target, secret_of(settings, target.id))


def add_email(conn: Connection, settings: Settings, *, team_id: UUID, address: str) -> Added:
    """Tell an e-mail address once its owner has confirmed it; a mail with the code goes there.

    Raises ConflictError where the service sends no e-mail, and as `_add`.
    """
    if settings.smtp_url is None:
        raise ConflictError("This service sends no e-mail.", remedy="Use a webhook, or `gsi status --watch`.")
    target = _add(conn, team_id=team_id, kind="email", address=address, confirmed=False)
    store.add_delivery(conn, target_id=target.id, what=CONFIRM)
    return Added(target, "")


def _add(conn: Connection, *, team_id: UUID, kind: Kind, address: str, confirmed: bool) -> Target:
    """Raises ConflictError when the team has that target, or as many as a team may have."""
    store.lock_team(conn, team_id)
    if len(store.targets(conn, team_id)) >= MOST_TARGETS:
        raise ConflictError(f"Your team has {MOST_TARGETS} targets, the most allowed.", remedy="Remove one first.")
    added = store.add_target(conn, team_id=team_id, kind=kind, address=address, confirmed=confirmed)
    if added is None:
        raise ConflictError("Your team is told there already.", remedy="See GET /api/v1/notices.")
    return added


def confirm(conn: Connection, settings: Settings, target_id: UUID, *, team_id: UUID, code: str) -> Target:
    """Begin to tell an e-mail address. Raises NotFoundError, InvalidError for a wrong code."""
    found = get(conn, target_id, team_id=team_id)
    if not hmac.compare_digest(code.strip().lower().encode(), code_of(settings, target_id).encode()):
        raise InvalidError("That is not the code that was sent.", remedy="Copy it from the mail as it stands there.")
    store.confirm(conn, target_id)
    return get(conn, found.id, team_id=team_id)


def remove(conn: Connection, target_id: UUID, *, team_id: UUID) -> None:
    """Send nothing there any more. Raises NotFoundError."""
    store.remove(conn, get(conn, target_id, team_id=team_id).id)


def test(conn: Connection, target_id: UUID, *, team_id: UUID) -> UUID:
    """Send a notice that tells nothing; its id. Raises NotFoundError, ConflictError for what is not confirmed."""
    found = get(conn, target_id, team_id=team_id)
    if found.confirmed_at is None:
        raise ConflictError("The address is not confirmed yet.", remedy="Enter the code from the mail first.")
    return store.add_delivery(conn, target_id=found.id, what=TEST)


def get(conn: Connection, target_id: UUID, *, team_id: UUID) -> Target:
    """One target of a team. Raises NotFoundError."""
    found = store.target(conn, target_id, team_id=team_id)
    if found is None:
        raise NotFoundError("There is no such target of notices.")
    return found


def retry(conn: Connection, delivery_id: UUID, *, team_id: UUID | None) -> None:
    """Try a dead delivery anew. Raises NotFoundError when there is none (or its target is gone)."""
    if not store.revive(conn, delivery_id, team_id=team_id):
        raise NotFoundError("There is no such delivery that was given up.")
