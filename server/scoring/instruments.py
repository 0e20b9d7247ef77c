"""What a scorer is told of the installation's instruments: the operator's file with every path absolute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scorer.installation import anchored
from server.errors import StorageError


class Needs(NamedTuple):
    """What a scorer must be able to reach: paths to read, and the base URL of its judge."""

    read_only: tuple[Path, ...]
    endpoint: str | None


def needs_of(instruments: Mapping[str, Any]) -> Needs:
    """What the contents of an ``instruments.json`` lead to, as far as it is there. Names of a hub are no paths."""
    judge, originals = instruments.get("judge"), instruments.get("originals")
    judge = judge if isinstance(judge, dict) else {}
    originals = originals if isinstance(originals, dict) else {}
    named = (instruments.get("weights"), originals.get("folder"), judge.get("journal"), judge.get("model"))
    paths = tuple(Path(name) for name in named if isinstance(name, str) and name.startswith("/"))
    endpoint = judge.get("url") if judge.get("adapter") == "endpoint" else None
    return Needs(tuple(path for path in paths if path.exists()), endpoint)


def for_job(file: Path | None, *, weights: Path) -> dict[str, Any]:
    """The contents of a job's ``instruments.json``. ``weights``: their folder where the file names none.

    Raises StorageError where the operator's file cannot be read now; whether its contents can be used is the scorer's
    to say.
    """
    if file is None:
        return {"weights": str(weights)}
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise StorageError(f"GSI_INSTRUMENTS: {file.name} cannot be read ({type(error).__name__}).") from error
    return {"weights": str(weights), **anchored(content, base=file.parent)} if isinstance(content, dict) else content
