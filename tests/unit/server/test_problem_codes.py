"""Every problem code that the service can answer with is documented, with its status; and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import infra.asgi  # noqa: F401 - loads everything that may define an error
from server.errors import GsiError

DOCS = Path(__file__).resolve().parents[3] / "docs" / "api.md"


def _all(kind: type[GsiError]) -> Iterator[type[GsiError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all(below)


def _documented() -> dict[str, int]:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| .+? \| .+? \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    return {code: int(status) for code, status in rows}


def test_each_code_is_documented_with_its_status_and_no_other_is():
    known = {kind.code: kind.status for kind in _all(GsiError) if kind.__module__.startswith("server.")}
    assert _documented() == known


def test_no_code_has_two_statuses():
    statuses: dict[str, set[int]] = {}
    for kind in _all(GsiError):
        statuses.setdefault(kind.code, set()).add(kind.status)
    assert {code: found for code, found in statuses.items() if len(found) > 1} == {}
