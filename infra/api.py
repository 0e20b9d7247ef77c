"""The API alone, for installations whose website is a process of its own: `uvicorn infra.api:create --factory`."""

from __future__ import annotations

import logging

from fastapi import FastAPI

from server.app import create_app
from server.db.pool import make_pool
from server.http.request_ids import log_with_request_ids
from server.settings import Settings, read_settings
from server.storage.choose import storage_of
from server.worker.app import make_celery
from server.worker.queue import CeleryQueue


def create() -> FastAPI:
    """The API, composed from the settings of the environment."""
    return create_from(read_settings())


def create_from(settings: Settings) -> FastAPI:
    """The API, composed from ``settings``."""
    log_with_request_ids()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return create_app(
        settings,
        queue=CeleryQueue(make_celery(settings)),
        storage=storage_of(settings),
        pool=make_pool(settings.database_url.get_secret_value(), size=settings.database_pool_size),
    )
