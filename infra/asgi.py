"""API and website in one process: `uvicorn infra.asgi:create --factory`."""

from __future__ import annotations

from fastapi import FastAPI

from frontend.app import mount
from infra.api import create_from
from server.settings import read_settings


def create() -> FastAPI:
    """The whole of it, composed from the settings of the environment."""
    settings = read_settings()
    app = create_from(settings)
    return mount(
        app,
        api_url=settings.internal_url or settings.public_url,
        uploads_to=app.state.services.storage.parts.origin,
    )
