from __future__ import annotations

import httpx
import pytest

from frontend.app import mount
from server.addresses import is_web_address
from server.app import create_app
from tests.serving import served


@pytest.fixture
def site(settings, queue, storage, pool):
    public = settings.model_copy(update={"public_url": "https://board.example"})
    app = create_app(public, queue=queue, storage=storage, pool=pool)
    with served(mount(app, api_url="http://127.0.0.1:9")) as port:
        yield f"http://127.0.0.1:{port}"


def test_a_host_that_a_request_tells_of_is_repeated_nowhere(site):
    lies = {
        "x-forwarded-host": "evil.example",
        "forwarded": "host=evil.example",
        "x-gradio-server": "http://evil.example",
    }
    for path in ("/config", "/about", "/api/docs", "/api/v1/health", "/api/v1/benchmarks/"):
        for header, value in lies.items():
            answer = httpx.get(f"{site}{path}", headers={header: value}, timeout=20)
            assert "evil.example" not in answer.text + str(answer.headers), (path, header)


def test_behind_a_proxy_links_lead_to_the_public_address(site):
    proxied = httpx.get(f"{site}/config", headers={"x-forwarded-host": "evil.example", "x-forwarded-proto": "http"})
    assert proxied.json()["root"] == "https://board.example"


def test_without_a_proxy_links_lead_where_the_request_came(site):
    assert httpx.get(f"{site}/config").json()["root"] == site


@pytest.mark.parametrize(
    "address",
    ["https://example.org", "http://127.0.0.1:8000/x?y=1#z", "https://[::1]:8/", "https://münchen.example/a%20b"],
)
def test_addresses_of_pages_are_taken(address):
    assert is_web_address(address)
