"""A folder of files that can be made again, bounded by their sum. Standard library only: the service keeps one too."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

SUFFIX = ".safetensors"
NAME = re.compile(r"[0-9a-f]{64}\.safetensors")
"""What a file in such a folder is called."""


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
