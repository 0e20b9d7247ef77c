"""The fake service with the real site mounted beside it, on a loopback port."""

from collections.abc import Iterator

import pytest

from frontend.app import mount
from tests.unit.frontend.fake_api import Service, create_fake_api
from tests.unit.frontend.serving import Server, free_port


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
