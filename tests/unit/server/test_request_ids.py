"""A request can be followed from its answer into the log."""

from __future__ import annotations

import logging

import pytest
from fastapi.testclient import TestClient

from server.http.request_ids import LOG_FORMAT, NONE, WithRequestId


@pytest.fixture
def lines():
    """What the log of the service would show."""
    found = []

    class Kept(logging.Handler):
        def emit(self, record):
            found.append(self.format(record))

    handler = Kept()
    handler.setFormatter(logging.Formatter(LOG_FORMAT))
    handler.addFilter(WithRequestId())
    logger = logging.getLogger("gsi")
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def test_a_line_of_the_log_names_the_request_that_it_is_about(app, lines):
    @app.get("/api/v1/broken")
    def broken():
        logging.getLogger("gsi.test").warning("at work")
        raise RuntimeError("no")

    with TestClient(app, base_url="http://test/api/v1", raise_server_exceptions=False) as client:
        answer = client.get("/broken", headers={"x-request-id": "abc-123"})
    assert answer.json()["request_id"] == "abc-123"
    assert any("[abc-123] at work" in line for line in lines)
    assert any("[abc-123] GET /api/v1/broken failed" in line for line in lines)


def test_a_line_outside_of_any_request_says_so(lines):
    logging.getLogger("gsi.test").warning("alone")
    assert any(f"[{NONE}] alone" in line for line in lines)
