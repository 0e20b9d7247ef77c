from __future__ import annotations

import os
from pathlib import Path

import pytest

import server.http
from server.http.document import committed, rendered


def test_the_committed_document_is_the_api(app):
    if os.environ.get("GSI_WRITE_OPENAPI"):
        Path(server.http.__file__).with_name("openapi.json").write_text(rendered(app), encoding="utf-8")
    assert rendered(app) == committed(), "on purpose? GSI_WRITE_OPENAPI=1 ./gsi test tests/unit/server/test_openapi.py"


def test_every_operation_says_what_it_does_and_how_it_fails(app):
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            assert operation["description"], (method, path)
            assert "application/problem+json" in operation["responses"]["default"]["content"], (method, path)


def test_no_operation_names_the_hidden_part(app):
    text = rendered(app).lower()
    assert "hidden" not in text
    assert "truth" not in text


def test_the_served_document_is_the_same(client, app):
    served = client.get("/openapi.json")
    assert served.json() == app.openapi()


@pytest.mark.parametrize("path", ["/api/v1/submissions", "/api/v1/baselines", "/api/v1/audit"])
def test_protected_operations_say_that_they_need_a_token(path, app):
    assert app.openapi()["paths"][path]["get"]["security"] == [{"HTTPBearer": []}]
