"""The committed OpenAPI document: what clients may rely on, changed only on purpose.

Write it anew with `GSI_WRITE_OPENAPI=1 ./gsi test tests/unit/server/test_openapi.py`.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from fastapi import FastAPI


def rendered(app: FastAPI) -> str:
    """The document of ``app`` as it is committed: sorted, without the version of the release."""
    document: dict[str, Any] = app.openapi()
    told = {**document, "info": {**document["info"], "version": "1"}}
    return json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def committed() -> str:
    """The document that is committed."""
    return files("server.http").joinpath("openapi.json").read_text(encoding="utf-8")
