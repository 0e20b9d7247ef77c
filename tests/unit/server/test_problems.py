from __future__ import annotations

import logging

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from server.app import create_app
from server.db.pool import make_pool
from server.errors import GsiError
from server.storage.local import LocalStorage
from server.worker.app import make_celery
from server.worker.queue import CeleryQueue


def _problem(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:gsi-bench:problem:{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/submissions/not-a-uuid", 422, "invalid-request"),
        ("DELETE", "/benchmarks", 405, "method-not-allowed"),
        ("GET", "/benchmarks/UPPER", 422, "invalid-request"),
        ("GET", "/submissions?limit=0", 401, "unauthorized"),
        ("GET", "/baselines?limit=0", 422, "invalid-request"),
        ("GET", "/baselines?limit=100000", 422, "invalid-request"),
        ("GET", "/baselines?cursor=nothing", 422, "invalid"),
        ("POST", "/development/login", 422, "invalid-request"),
        ("GET", "/benchmarks/nothing", 404, "not-found"),
    ],
)
def test_every_error_is_a_problem_document(method, path, status, code, client):
    body = _problem(client.request(method, path))
    assert (body["status"], body["code"]) == (status, code)
    assert body["remedy"]


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"team": "\xff"}', b"[" * 100_000, b"1" * 5000, b"team=x"])
def test_a_body_that_is_no_json_is_told_so_and_what_to_send(content, client):
    answer = client.post("/development/login", content=content, headers={"content-type": "application/json"})
    told = _problem(answer)
    assert (told["status"], told["code"]) == (400, "invalid-json")
    assert "UTF-8" in told["remedy"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/zip", None])
def test_json_sent_as_something_else_is_told_so_and_what_to_send(content_type, client):
    headers = {"content-type": content_type} if content_type else {}
    told = _problem(client.post("/development/login", content=b'{"team": "Team"}', headers=headers))
    assert (told["status"], told["code"]) == (415, "unsupported-media-type")
    assert "application/json" in told["remedy"]


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"7"])
def test_json_that_is_no_object_is_an_invalid_request(content, client):
    answer = client.post("/development/login", content=content, headers={"content-type": "application/json"})
    assert (_problem(answer)["code"], answer.json()["errors"][0]["field"]) == ("invalid-request", "body")


def test_an_invalid_value_is_not_sent_back(client):
    answer = client.post("/development/login", json={"team": "<script>alert(1)</script>"})
    assert "script" not in answer.text


@pytest.fixture
def broken_client(app):
    @app.get("/api/v1/broken")
    def broken():
        raise RuntimeError("password=SECRET")

    @app.get("/api/v1/explained")
    def explained():
        raise GsiError("The detail.", remedy="The remedy.", retry_after=7)

    with TestClient(app, base_url="http://test/api/v1", raise_server_exceptions=False) as client:
        yield client


def test_a_defect_is_told_without_its_words_and_logged_with_them(broken_client, caplog):
    with caplog.at_level(logging.ERROR, logger="gsi.http"):
        answer = broken_client.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "SECRET" not in answer.text
    assert "SECRET" in caplog.text


def test_an_error_of_ours_keeps_its_words_and_says_when_to_come_again(broken_client):
    answer = broken_client.get("/explained")
    assert (answer.json()["detail"], answer.json()["remedy"]) == ("The detail.", "The remedy.")
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/broken"])
def test_every_answer_has_a_request_id_and_the_careful_headers(path, broken_client):
    headers = broken_client.get(path).headers
    assert headers["x-request-id"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"]


@pytest.mark.parametrize(("sent", "kept"), [("abc-1.2_3", True), ("a" * 65, False), ("a b", False), ("<x>", False)])
def test_a_request_id_is_kept_when_it_is_harmless(sent, kept, client):
    told = client.get("/health", headers={"x-request-id": sent}).headers["x-request-id"]
    assert (told == sent) is kept


def test_a_database_that_does_not_answer_is_503_and_health_still_answers(settings, queue, storage):
    with make_pool("postgresql://nobody@127.0.0.1:9/none?connect_timeout=1", size=1) as dead:
        dead.timeout = 0.2
        app = create_app(settings, queue=queue, storage=storage, pool=dead)
        with TestClient(app, base_url="http://test/api/v1", raise_server_exceptions=False) as client:
            assert client.get("/health").json()["status"] == "ok"
            answer = client.get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "127.0.0.1" not in answer.text


def test_a_storage_that_cannot_be_used_is_503(settings, queue, pool, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    app = create_app(settings, queue=queue, storage=LocalStorage(tmp_path / "file" / "x"), pool=pool)
    with TestClient(app, base_url="http://test/api/v1", raise_server_exceptions=False) as client:
        answer = client.get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "storage-unavailable")
    assert str(tmp_path) not in answer.text


def test_a_queue_that_does_not_answer_is_503_and_its_address_is_not_told(settings, storage, pool):
    dead = settings.model_copy(update={"broker_url": SecretStr("redis://:PASSWORD@127.0.0.1:9/0")})
    app = create_app(dead, queue=CeleryQueue(make_celery(dead)), storage=storage, pool=pool)
    with TestClient(app, base_url="http://test/api/v1", raise_server_exceptions=False) as client:
        answer = client.get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "queue-unavailable")
    assert "127.0.0.1" not in answer.text
    assert "PASSWORD" not in answer.text


def test_a_service_whose_parts_all_answer_is_ready(client):
    assert client.get("/ready").json()["status"] == "ok"
