"""Lists over REST, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi.testclient import TestClient


def walk(client: TestClient, path: str, headers: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Every page of a list, by its cursors; at most a hundred."""
    cursor = ""
    for _ in range(100):
        answer = client.get(f"{path}{cursor}", headers=dict(headers))
        assert answer.status_code == 200, answer.text
        yield answer.json()
        if answer.json()["next_cursor"] is None:
            return
        cursor = f"&cursor={answer.json()['next_cursor']}"
    raise AssertionError(f"{path} does not end")
