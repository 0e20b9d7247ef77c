"""The Celery application: how tasks are carried, and the few tasks that there are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import Celery
from kombu import Queue

from server.notices.sending import Notices
from server.scoring.service import Scoring
from server.settings import Settings
from server.worker.cleaning import clean_up
from server.worker.names import CLEAN, NOTICES_QUEUE, NOTIFY, SCORE, SCORE_QUEUE, SHORT_QUEUE, SWEEP, VALIDATE

_LOG = logging.getLogger("gsi.worker")
_LONGEST_TASK_SECONDS = 6 * 3600
_CLEAN_SECONDS = 30.0


def make_celery(settings: Settings) -> Celery:
    """Celery on the broker of the settings. Results are not kept: the table is the truth."""
    app = Celery("gsi", broker=settings.broker_url.get_secret_value())
    app.conf.update(
        task_acks_late=True,  # a task whose worker dies goes back to the queue
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue=SHORT_QUEUE,
        task_queues=[Queue(name) for name in (SHORT_QUEUE, SCORE_QUEUE, NOTICES_QUEUE)],
        task_routes={SCORE: {"queue": SCORE_QUEUE}, NOTIFY: {"queue": NOTICES_QUEUE}},
        broker_connection_retry_on_startup=True,
        broker_transport_options=_transport(settings.broker_url.get_secret_value()),
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        beat_schedule={
            "sweep": {"task": SWEEP, "schedule": settings.sweep_seconds},
            "notify": {"task": NOTIFY, "schedule": settings.sweep_seconds},
            "clean": {"task": CLEAN, "schedule": max(settings.sweep_seconds, _CLEAN_SECONDS)},
        },
        timezone="UTC",
    )
    return app


def _transport(broker_url: str) -> dict[str, Any]:
    """What the kind of broker needs. RabbitMQ confirms what it was told; Redis gives tasks of lost workers out again.

    Neither decides who works: a task that comes twice loses the claim.
    """
    if broker_url.startswith("amqp"):
        return {"confirm_publish": True}
    return {"visibility_timeout": _LONGEST_TASK_SECONDS, "socket_connect_timeout": 5}


def add_tasks(app: Celery, scoring: Callable[[], Scoring], notices: Callable[[], Notices]) -> None:
    """Register the tasks; ``scoring`` and ``notices`` give this process's use-cases."""

    @app.task(name=VALIDATE)
    def validate(submission_id: str) -> None:
        scoring().validate(UUID(submission_id))

    @app.task(name=SCORE)
    def score(run_id: str) -> None:
        scoring().score(UUID(run_id))

    @app.task(name=SWEEP, expires=30)
    def sweep() -> None:
        scoring().sweep()

    @app.task(name=NOTIFY, expires=30)
    def notify() -> None:
        while notices().send_due():
            pass

    @app.task(name=CLEAN, expires=30)
    def clean() -> None:
        clean_up(scoring().pool, scoring().storage)
