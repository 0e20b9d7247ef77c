"""A folder of files that can be made again, bounded by their sum. Without torch: the service keeps one too."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from scorer.contract import Strict

SUFFIX = ".safetensors"
NAME = r"[0-9a-f]{64}\.safetensors"
"""What a file in such a folder is called."""


class Needed(Strict):
    """The files that the originals of a run lead to (``needed.json``)."""

    schema_: Literal["gsi-kept/1"] = Field(default="gsi-kept/1", alias="schema")
    files: Annotated[list[Annotated[str, StringConstraints(pattern=f"^{NAME}$")]], Field(max_length=1_000_000)]


def forget_oldest(folder: Path, *, most_bytes: int, kept: Path | None = None) -> None:
    """Remove the files that were used longest ago until the rest has ``most_bytes`` at most; ``kept`` stays."""
    files = []
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            state = path.stat()
            files.append((state.st_mtime_ns, state.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= most_bytes:
            return
        if path != kept:
            path.unlink(missing_ok=True)
            total -= size
