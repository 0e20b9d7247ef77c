"""A real server on a loopback port: the fake service with the real site mounted beside it."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI

from frontend.app import mount
from tests.unit.frontend.fake_api import Service, create_fake_api


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """uvicorn on a thread."""

    def __init__(self, app: FastAPI, *, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, log_level="warning", ws="none", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)


@pytest.fixture(scope="session")
def kept_service() -> Service:
    """One service for the session, because a site takes half a second to build; each test finds it empty."""
    return Service()


@pytest.fixture(scope="session")
def site_server(kept_service: Service) -> Iterator[Server]:
    port = free_port()
    server = Server(mount(create_fake_api(kept_service), api_url=f"http://127.0.0.1:{port}"), port=port)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def service(kept_service: Service) -> Service:
    """The fake service behind `site` and `api`, empty."""
    kept_service.reset()
    return kept_service


@pytest.fixture
def site(service: Service, site_server: Server) -> str:
    """The address of the site over the fake service."""
    return site_server.url


@pytest.fixture
def api(service: Service) -> Iterator[str]:
    """The address of the fake service without the site."""
    server = Server(create_fake_api(service), port=free_port())
    server.start()
    yield server.url
    server.stop()
