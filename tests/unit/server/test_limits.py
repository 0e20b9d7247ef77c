"""How often anyone may ask: refused with the standard headers, and nobody pays for somebody else."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from infra.embedded.redis import EmbeddedRedis
from server.app import create_app
from server.settings import Settings

ORIGIN = {"origin": "http://test"}


@pytest.fixture
def client_with(queue, storage, pool, settings):
    def make(*, address="203.0.113.7", **changes):
        app = create_app(settings.model_copy(update=changes), queue=queue, storage=storage, pool=pool)
        known = {"base_url": "http://test/api/v1", "client": (address, 1), "raise_server_exceptions": False}
        return TestClient(app, **known)

    return make


def test_every_answer_tells_what_is_left(client_with):
    client = client_with(rate_limit_requests="5/minute")
    left = [client.get("/benchmarks").headers for _ in range(3)]
    assert left[0]["ratelimit-policy"] == '"requests";q=5;w=60, "address";q=1000000;w=60'
    told = [re.fullmatch(r'"requests";r=(\d);t=(\d+)', each["ratelimit"]) for each in left]
    assert [each[1] for each in told] == ["4", "3", "2"]
    assert all(1 <= int(each[2]) <= 60 for each in told)


def test_one_request_too_many_is_a_problem_that_says_when_to_come_again(client_with):
    client = client_with(rate_limit_requests="2/minute")
    answers = [client.get("/benchmarks") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "rate-limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["ratelimit"].startswith('"requests";r=0;')
    assert "x-request-id" in refused.headers


def test_tokens_are_counted_apart_and_so_are_addresses(client_with):
    client = client_with(rate_limit_requests="2/minute")
    one, other = (
        {"authorization": f"Bearer {client.post('/development/login', json={'team': name}).json()['token']}"}
        for name in ("One", "Other")
    )
    assert [client.get("/me", headers=one).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/me", headers=other).status_code == 200


def test_whoever_invents_tokens_is_still_one_address(client_with):
    client = client_with(rate_limit_address="3/minute")
    statuses = [client.get("/me", headers={"authorization": f"Bearer gsi_{number}"}).status_code for number in range(5)]
    assert statuses == [401, 401, 401, 429, 429]


@pytest.mark.parametrize(("method", "path"), [("POST", "/sign-in/nowhere"), ("GET", "/sign-in/nowhere/callback")])
def test_signing_in_is_bounded_more_tightly(method, path, client_with):
    client = client_with(rate_limit_sign_in="2/minute")
    statuses = [client.request(method, path, json={}, headers=ORIGIN).status_code for _ in range(3)]
    assert statuses == [404, 404, 429]
    assert client.get("/benchmarks").status_code == 200


def test_making_tokens_is_bounded_more_tightly(client_with):
    client = client_with(rate_limit_tokens="2/hour")
    token = client.post("/development/login", json={"team": "Lab"}).json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    statuses = [
        client.post("/tokens", json={"name": "t", "scopes": ["read"]}, headers=headers).status_code for _ in range(3)
    ]
    assert statuses == [201, 201, 429]
    assert client.get("/tokens", headers=headers).status_code == 200


def test_health_is_never_counted_nor_is_what_the_website_reads_for_its_visitors(client_with):
    client = client_with(rate_limit_requests="1/minute", rate_limit_address="1/minute")
    assert {client.get(path).status_code for path in ("/health", "/ready") * 3} == {200}
    here = client_with(rate_limit_requests="1/minute", rate_limit_address="1/minute", address="127.0.0.1")
    assert {here.get("/benchmarks").status_code for _ in range(3)} == {200}


def test_two_processes_count_together_in_redis_and_nobody_is_refused_while_it_is_away(client_with, tmp_path):
    redis = EmbeddedRedis(tmp_path / "redis")
    address = SecretStr(redis.start())
    try:
        shared = {"rate_limits_shared": True, "broker_url": address, "rate_limit_requests": "3/minute"}
        one, other = client_with(**shared), client_with(**shared)
        statuses = [each.get("/benchmarks").status_code for each in (one, other, one, other)]
        assert statuses == [200, 200, 200, 429]
    finally:
        redis.stop()
    assert one.get("/benchmarks").status_code == 200
    assert "ratelimit" not in one.get("/benchmarks").headers


@pytest.mark.parametrize("rate", ["", "often", "10", "10/fortnight"])
def test_a_rate_that_is_none_is_refused_at_the_start(rate, settings):
    with pytest.raises(ValidationError, match="is not a rate"):
        Settings.model_validate({**settings.model_dump(by_alias=True), "rate_limit_requests": rate})
