"""API and website in one process: `uvicorn infra.asgi:create --factory`."""

from __future__ import annotations

import logging

from fastapi import FastAPI

from frontend.app import mount
from server.app import create_app
from server.db.pool import make_pool
from server.http.request_ids import log_with_request_ids
from server.settings import read_settings
from server.storage.choose import storage_of
from server.worker.app import make_celery
from server.worker.queue import CeleryQueue


def create() -> FastAPI:
    """The whole of it, composed from the settings of the environment."""
    log_with_request_ids()
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = read_settings()
    storage = storage_of(settings)
    app = create_app(
        settings,
        queue=CeleryQueue(make_celery(settings)),
        storage=storage,
        pool=make_pool(settings.database_url.get_secret_value(), size=settings.database_pool_size),
    )
    return mount(app, api_url=settings.internal_url or settings.public_url, uploads_to=storage.parts.origin)
