"""Vectors made by running the functions of the official evaluation; see vectors/README.md."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parent / "vectors"


@pytest.fixture
def cases() -> Callable[..., list[dict[str, Any]]]:
    def read(name: str, *, function: str | None = None) -> list[dict[str, Any]]:
        content = json.loads(gzip.decompress((VECTORS / f"{name}.json.gz").read_bytes()))
        found = [case for case in content["cases"] if function is None or case["function"] == function]
        assert found, f"no case of {function} in {name}"
        return found

    return read
