"""The examples of the OpenAPI document: one for every operation, each of its schema, recorded from the API."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import server.http
from server.http.document import committed
from server.http.examples import FILE, recorded
from tests.unit.server.test_who_may_what import CALLERS, CASES, _send, world  # noqa: F401 - a fixture

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_SECRETS = re.compile(r"\b(?:gsi[si]?|whsec)_[A-Za-z0-9_-]{20,}")
_LONGEST_LIST = 2


def _operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


class _Plain:
    """Gives ids, times and secrets the same stand-ins at every recording."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        text = _UUID.sub(lambda found: self._id(found.group()), json.dumps(value))
        text = _TIME.sub("2026-11-24T12:00:00Z", text)
        return _short(json.loads(_SECRETS.sub("gsi_EXAMPLE", text)))

    def _id(self, real: str) -> str:
        return self._ids.setdefault(real, f"00000000-0000-4000-8000-{len(self._ids) + 1:012d}")


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    return [_short(one) for one in value[:_LONGEST_LIST]] if isinstance(value, list) else value


@pytest.mark.skipif(not os.environ.get("GSI_WRITE_OPENAPI"), reason="records anew only when asked: GSI_WRITE_OPENAPI=1")
def test_the_examples_are_recorded_anew(client, world):  # noqa: F811 - the fixture
    plain, found = _Plain(), {}
    for (method, route), case in sorted(CASES.items(), key=lambda item: (item[0][1], item[0][0])):
        fit = [one for one in ("owner", "maintainer") if case.expected[CALLERS.index(one)] < 400]
        caller = (fit or ["owner"])[0]  # what nobody may do in this world shows how it is refused
        made = world(case.state)
        body = case.sent(made)
        answer = _send(client, method, made.path(route), body, made.headers[caller])
        example: dict[str, Any] = {"status": answer.status_code}
        if body is not None and not isinstance(body, bytes):
            example["request"] = plain(body)
        if fit and answer.content and answer.headers.get("content-type", "").startswith("application/json"):
            example["response"] = plain(answer.json())
        found[f"{method} /api/v1{route.replace(':path', '')}"] = example
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    Path(server.http.__file__).with_name(FILE).write_text(text, encoding="utf-8")


def test_every_operation_has_an_example_of_what_is_sent_and_of_what_is_answered(app):
    for name, operation in _operations(app.openapi()):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None:
            assert "example" in body or not operation["requestBody"].get("required"), name
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            refused = recorded()[name]["status"] >= 400
            if status.startswith("2") and content is not None and "$ref" in content.get("schema", {}) and not refused:
                assert "example" in content, name


def test_each_example_is_of_its_schema(app):
    document = app.openapi()
    for name, operation in _operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            content = body.get("content", {}).get("application/json", {})
            if "example" in content:
                schema = {**content["schema"], "components": document["components"]}
                errors = list(Draft202012Validator(schema).iter_errors(content["example"]))
                assert not errors, (name, errors[0].message)


def test_no_example_is_of_an_operation_that_is_gone(app):
    assert set(recorded()) == {name for name, _ in _operations(app.openapi())}


def test_no_example_holds_a_secret_or_a_hidden_value():
    text = json.dumps(recorded())
    assert not _SECRETS.search(text)
    assert "hidden" not in text.lower()


def test_the_document_is_openapi_3_1():
    document = json.loads(committed())
    assert document["openapi"].startswith("3.1")
    validate(document)
