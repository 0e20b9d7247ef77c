"""The worker's edge: `celery --app server.worker.main worker|beat`. Reads the settings and composes the adapters."""

from __future__ import annotations

import logging
import os
import random
import socket
from functools import cache
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, setup_logging

from server.db.pool import make_pool
from server.errors import ConfigurationError
from server.notices.sending import Notices
from server.scoring.choose_runner import choose, runner_of, tell
from server.scoring.service import Scoring
from server.settings import Settings, read_settings
from server.storage.choose import storage_of
from server.worker.app import add_tasks, make_celery
from server.worker.names import SCORE_QUEUE, SHORT_QUEUE
from server.worker.queue import CeleryQueue

_LOG = logging.getLogger("gsi.worker")
_POOL_SIZE = 2
_EX_CONFIG = 78


@cache
def _settings() -> Settings:
    return read_settings()


@cache
def _scoring() -> Scoring:
    """This process's use-cases: made at the first task, so that no connection crosses a fork."""
    settings = _settings()
    return Scoring(
        settings=settings,
        pool=make_pool(settings.database_url.get_secret_value(), size=_POOL_SIZE),
        storage=storage_of(settings),
        queue=CeleryQueue(app),
        runner=runner_of(settings),
        owner=f"{socket.gethostname()}:{os.getpid()}",
    )


@cache
def _notices() -> Notices:
    """This process's sender of notices; made at the first task, as above."""
    settings = _settings()
    return Notices(
        settings=settings,
        pool=make_pool(settings.database_url.get_secret_value(), size=_POOL_SIZE),
        dice=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
    )


@setup_logging.connect
def _log_plainly(loglevel: int = logging.INFO, **_: Any) -> None:
    logging.basicConfig(level=loglevel, format="%(asctime)s %(levelname)s %(name)s %(message)s")


@celeryd_after_setup.connect
def _refuse_what_cannot_score(instance: Any, **_: Any) -> None:
    """Tell at the start which runner there is; end then, and not at every task, where none can be had.

    A worker of notices alone launches nothing.
    """
    if not {SHORT_QUEUE, SCORE_QUEUE} & set(instance.app.amqp.queues.consume_from):
        return
    try:
        tell(choose(_settings()))
    except ConfigurationError as error:
        _LOG.critical("%s %s", error.detail, error.remedy)
        raise SystemExit(_EX_CONFIG) from error


app: Celery = make_celery(_settings())
add_tasks(app, _scoring, _notices)
