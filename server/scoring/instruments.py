"""What a scorer is told of the installation's instruments: the operator's file with every path absolute."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scorer.installation import anchored
from server.errors import StorageError


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
