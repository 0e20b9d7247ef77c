from __future__ import annotations

import httpx
import pytest

from frontend.app import mount
from tests.serving import served

pytestmark = pytest.mark.usefixtures("blocks")
ADDRESSES = {
    "/benchmarks": "GET, HEAD, OPTIONS",
    "/submissions": "GET, HEAD, POST, OPTIONS",
    "/development/login": "POST, OPTIONS",
    "/baselines/00000000-0000-0000-0000-000000000000": "GET, HEAD, PATCH, OPTIONS",
    "/submissions/00000000-0000-0000-0000-000000000000/archive": "PUT, OPTIONS",
    "/openapi.json": "GET, HEAD, OPTIONS",
}


@pytest.fixture(params=["the API alone", "beside the website"])
def speaking(request, app):
    """The service on a real server, with and without the site that takes every other address."""
    whole = mount(app, api_url="http://127.0.0.1:9") if request.param == "beside the website" else app
    with served(whole) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=20) as client:
        yield client


def test_every_address_tells_what_it_takes_and_refuses_the_rest_alike(speaking):
    for path, takes in ADDRESSES.items():
        asked = speaking.options(path)
        assert (asked.status_code, asked.headers["allow"], asked.content) == (204, takes, b""), path
        for method in {"GET", "HEAD", "DELETE", "TRACE", "PROPFIND"} - set(takes.split(", ")):
            refused = speaking.request(method, path)
            assert (refused.status_code, refused.headers["allow"]) == (405, takes), (method, path)
            assert refused.headers["x-request-id"]
            assert method == "HEAD" or refused.json()["code"] == "method-not-allowed"


def test_head_is_get_without_the_body(speaking):
    for path in ("/benchmarks", "/benchmarks/blocks/manifest", "/benchmarks/blocks/inputs.zip", "/openapi.json"):
        got, headed = speaking.get(path), speaking.head(path)
        assert (headed.status_code, headed.content) == (200, b""), path
        for name in ("content-type", "content-length", "etag"):
            assert headed.headers.get(name) == got.headers.get(name), (name, path)


def test_an_address_that_is_not_there_takes_nothing(speaking):
    for method in ("GET", "HEAD", "OPTIONS", "TRACE", "DELETE"):
        for path in ("/nowhere", "/benchmarks/"):
            answer = speaking.request(method, path)
            assert (answer.status_code, answer.headers.get("allow")) == (404, None), (method, path)


def test_trace_repeats_nothing_anywhere(speaking):
    origin = str(speaking.base_url).removesuffix("/api/v1/")
    answer = speaking.request("TRACE", f"{origin}/", headers={"cookie": "gsi=SECRET"})
    assert answer.status_code == 405
    assert "SECRET" not in answer.text
