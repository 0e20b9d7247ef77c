"""The queue on Celery. A hint that cannot be sent is logged; the sweep sends it again."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import Celery
from kombu.exceptions import KombuError, OperationalError

from server.errors import QueueError
from server.worker.names import SCORE, VALIDATE

_LOG = logging.getLogger("gsi.queue")
_PATIENCE_SECONDS = 2
_IMPATIENTLY = {"socket_connect_timeout": _PATIENCE_SECONDS, "socket_timeout": _PATIENCE_SECONDS}
_RETRY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.5}


class CeleryQueue:
    """See `server.jobs.JobQueue`."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def validate(self, submission_id: UUID) -> None:
        """See `JobQueue.validate`."""
        self._send(VALIDATE, submission_id)

    def score(self, run_id: UUID) -> None:
        """See `JobQueue.score`."""
        self._send(SCORE, run_id)

    def check(self) -> None:
        """See `JobQueue.check`; opens a connection of its own and takes two seconds or so at most."""
        connection = self._app.connection_for_write(
            connect_timeout=_PATIENCE_SECONDS, transport_options=dict(_IMPATIENTLY)
        )
        try:
            with connection:
                connection.ensure_connection(max_retries=1, interval_start=0, interval_max=0, timeout=_PATIENCE_SECONDS)
        except (KombuError, OSError) as error:
            raise QueueError from error

    def _send(self, task: str, subject: UUID) -> None:
        try:
            self._app.send_task(task, args=[str(subject)], retry=True, retry_policy=_RETRY, ignore_result=True)
        except (OperationalError, KombuError, OSError) as error:
            _LOG.warning("the queue was not told of %s %s (%s); the sweep will tell it", task, subject, error)
