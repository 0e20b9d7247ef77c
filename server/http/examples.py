"""Examples of every operation in the OpenAPI document: recorded from the API itself, so that they cannot lie.

Record them anew with `GSI_WRITE_OPENAPI=1 ./gsi test tests/unit/server/test_examples.py`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI

FILE = "examples.json"


@cache
def recorded() -> dict[str, dict[str, Any]]:
    """By "METHOD /path": ``request`` (absent without a JSON body), ``status``, ``response`` (absent without JSON)."""
    text = files("server.http").joinpath(FILE).read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def install(app: FastAPI) -> None:
    """Let the document of ``app`` show the recorded examples."""
    plain = app.openapi

    def with_examples() -> dict[str, Any]:
        if app.openapi_schema is None:
            _add(plain())
        return plain()

    app.openapi = with_examples  # type: ignore[method-assign]  # the way that FastAPI documents


def _add(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            example = recorded().get(f"{method.upper()} {path}", {})
            if "request" in example and "requestBody" in operation:
                operation["requestBody"]["content"]["application/json"]["example"] = example["request"]
            answer = operation["responses"].get(str(example.get("status")), {})
            if "response" in example and "application/json" in answer.get("content", {}):
                answer["content"]["application/json"]["example"] = example["response"]
