from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from frontend.app import mount
from frontend.client import Client
from frontend.proxy import create_proxy
from frontend.uploading import Listener, deliver
from tests.unit.frontend.fake_api import Service
from tests.unit.frontend.serving import Server, free_port


@pytest.fixture
def orphan() -> Iterator[str]:
    """The site alone, before a service that is not there."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    server = Server(mount(create_proxy(api_url=nowhere), api_url=nowhere), port=free_port())
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def alone(api: str) -> Iterator[str]:
    """The site alone, before a service on another port."""
    server = Server(mount(create_proxy(api_url=api), api_url=api), port=free_port())
    server.start()
    yield server.url
    server.stop()


def test_a_page_says_that_the_service_is_gone_and_the_explanation_still_works(orphan: str) -> None:
    page = httpx.get(f"{orphan}/", headers={"Accept": "text/html"}, trust_env=False)
    assert page.status_code == 503
    assert "The service cannot be reached" in page.text
    assert httpx.get(f"{orphan}/about", trust_env=False).status_code == 200


def test_the_proxy_tells_a_problem_when_the_service_is_gone(orphan: str) -> None:
    answer = httpx.get(f"{orphan}/api/v1/benchmarks", trust_env=False)
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "service_unreachable"


def test_an_upload_through_the_proxy_arrives_whole(alone: str, service: Service) -> None:
    with httpx.Client(base_url=f"{alone}/api/v1", trust_env=False) as http:
        token = http.post("/development/login", json={"team": "Lab"}).json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        name = http.post("/submissions", json={"benchmark": "blocks", "model": "M"}).json()["id"]
        sent = bytes(range(256)) * 4000
        assert http.put(f"/submissions/{name}/archive", content=sent).status_code == 202
    assert service.uploads[name] == sent


def test_an_archive_goes_in_parts_through_the_proxy(alone: str, service: Service, tmp_path: Path) -> None:
    archive = tmp_path / "edits.zip"
    archive.write_bytes(bytes(range(256)) * 20)
    with Client(url=alone) as anyone:
        token = anyone.login(team="Lab").token
    wish = {"benchmark": "blocks", "model": "M"}
    silent = Listener(going_on=lambda _: None, there=lambda _: None, moved=lambda _: None)
    with Client(url=alone, token=token) as client:
        found = deliver(client, archive, wish, folder=tmp_path, listener=silent, parallel=2)
    assert service.uploads[found.id] == archive.read_bytes()


def test_pages_may_send_archives_to_the_bucket_that_is_named_and_nowhere_else(api: str, alone: str) -> None:
    bucket = "https://files.example.org"
    server = Server(mount(create_proxy(api_url=api), api_url=api, uploads_to=bucket), port=free_port())
    server.start()
    policy = httpx.get(f"{server.url}/submit", trust_env=False).headers["content-security-policy"]
    server.stop()
    assert f"connect-src 'self' {bucket}" in policy
    assert "connect-src" not in httpx.get(f"{alone}/submit", trust_env=False).headers["content-security-policy"]


def test_the_proxy_never_leaves_the_api(alone: str) -> None:
    with httpx.Client(base_url=alone, trust_env=False) as http:
        assert http.get("/api/v1/%2e%2e/%2e%2e/openapi.json").status_code == 404
        assert http.get("/api/v1/benchmarks").status_code == 200


def test_the_proxy_passes_an_encoded_question_mark_on_as_part_of_the_path(alone: str) -> None:
    with httpx.Client(base_url=alone, trust_env=False) as http:
        assert http.get("/api/v1/benchmarks%3Fx=1").status_code == 404
        assert http.get("/api/v1/benchmarks%23x").status_code == 404


def test_the_proxy_carries_the_session_both_ways_and_tells_where_a_request_came_from() -> None:
    echo = FastAPI()

    @echo.post("/api/v1/echo")
    def told(request: Request, response: Response) -> dict[str, str]:
        response.set_cookie("gsi_session", "fresh", httponly=True)
        response.set_cookie("gsi_sign_in", "", max_age=0)
        return dict(request.headers)

    service = Server(echo, port=free_port())
    service.start()
    site = Server(create_proxy(api_url=service.url), port=free_port())
    site.start()
    headers = {"cookie": "gsi_session=kept", "origin": site.url, "sec-fetch-site": "same-origin"}
    answer = httpx.post(f"{site.url}/api/v1/echo", headers={**headers, "x-forwarded-for": "6.6.6.6"}, trust_env=False)
    site.stop()
    service.stop()
    assert headers.items() <= answer.json().items()
    assert answer.json()["x-forwarded-for"] == "6.6.6.6"  # the site's server trusts whoever is on this machine
    assert [each.split("=")[0] for each in answer.headers.get_list("set-cookie")] == ["gsi_session", "gsi_sign_in"]
