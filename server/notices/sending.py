"""Sends what is due: claims, sends side by side, and writes down how each ended.

A delivery is claimed for a minute; a sender that dies leaves it to the next. So a notice arrives at least once, and its
id tells a receiver which ones are the same.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import anyio
import anyio.to_thread
from psycopg_pool import ConnectionPool

from server.db.pool import transaction
from server.notices import mails, service, store, webhooks, words
from server.notices.model import Claimed, Subject
from server.notices.webhooks import NotSentError
from server.settings import Settings

_LOG = logging.getLogger("gsi.notices")
_AT_ONCE = 20
_LEASE = timedelta(seconds=60)
_MOST_ATTEMPTS = 8
_FIRST_PAUSE = 10.0
_LONGEST_PAUSE = 6 * 3600.0


class _Letter(NamedTuple):
    claimed: Claimed
    subject: Subject | None


@dataclass(frozen=True, kw_only=True)
class Notices:
    """The sender on one set of adapters. ``dice``: gives the jitter of pauses."""

    settings: Settings
    pool: ConnectionPool
    dice: random.Random

    def send_due(self) -> int:
        """Send what is due now; how many were tried."""
        with transaction(self.pool) as conn:
            claimed = store.claim(conn, limit=_AT_ONCE, lease=_LEASE)
            letters = [_Letter(one, store.subject(conn, one)) for one in claimed]
        if letters:
            anyio.run(self._send_all, letters)
        return len(letters)

    async def _send_all(self, letters: Sequence[_Letter]) -> None:
        async with anyio.create_task_group() as group:
            for letter in letters:
                group.start_soon(self._send_and_note, letter)

    async def _send_and_note(self, letter: _Letter) -> None:
        error: NotSentError | None = None
        try:
            await self._send(letter)
        except NotSentError as found:
            error = found
        except Exception:  # noqa: BLE001 - one notice must not hold up the others, whatever is wrong with it
            _LOG.exception("notice %s could not be sent", letter.claimed.id)
            error = NotSentError("a fault of this service")
        await anyio.to_thread.run_sync(self._note, letter.claimed, error)

    async def _send(self, letter: _Letter) -> None:
        claimed, subject = letter
        if claimed.kind == "webhook":
            await webhooks.post(
                claimed.address,
                secret=service.secret_of(self.settings, claimed.target_id),
                message_id=str(claimed.id),
                content=words.content(claimed, subject, public_url=self.settings.public_url),
                private_too=self.settings.webhooks_to_private_addresses,
            )
        else:
            await anyio.to_thread.run_sync(self._mail, claimed, subject)

    def _mail(self, claimed: Claimed, subject: Subject | None) -> None:
        if self.settings.smtp_url is None:
            raise NotSentError("this service sends no e-mail", final=True)
        code = service.code_of(self.settings, claimed.target_id)
        title, text = words.mail(claimed, subject, public_url=self.settings.public_url, code=code)
        mail = mails.message(
            sender=self.settings.mail_from, to=claimed.address, subject=title, text=text, notice=claimed.id
        )
        mails.send(self.settings.smtp_url.get_secret_value(), mail)

    def _note(self, claimed: Claimed, error: NotSentError | None) -> None:
        with transaction(self.pool) as conn:
            if error is None:
                store.delivered(conn, claimed)
            elif error.final or claimed.attempts >= _MOST_ATTEMPTS:
                _LOG.warning("notice %s is given up after %d attempts: %s", claimed.id, claimed.attempts, error)
                store.bury(conn, claimed, error=str(error))
            else:
                store.postpone(conn, claimed, error=str(error), pause=self._pause(claimed.attempts))

    def _pause(self, attempts: int) -> timedelta:
        """Four times longer each time, six hours at most, half of it by chance so that many do not come at once."""
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 4 ** (attempts - 1))
        return timedelta(seconds=longest * self.dice.uniform(0.5, 1.0))
