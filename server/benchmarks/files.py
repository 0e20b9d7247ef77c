"""A benchmark's parts as folders on this machine: fetched once for each version, then only read."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from server.storage.port import Storage, download


def unpacked(storage: Storage, *, key: str, version: str, part: str, work_dir: Path) -> Path:
    """The folder that holds the archive ``key`` unpacked; made when it is not there, whole or not at all.

    The archive is one of ours (registered by a maintainer), checked when it was registered.
    Raises StorageError when it cannot be fetched.
    """
    target = work_dir / "benchmarks" / version / part
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    building = Path(tempfile.mkdtemp(prefix=f".{part}-", dir=target.parent))
    try:
        archive = building / "archive.zip"
        download(storage, key, archive)
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(building / "content")
        try:
            (building / "content").rename(target)
        except OSError:
            if not target.is_dir():  # else another process was first
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def inside(folder: Path, name: str) -> Path | None:
    """The file ``name`` below ``folder``; None when it is not there or the name leads outside."""
    parts = PurePosixPath(name).parts
    if not parts or any(part in {"..", "."} or part.startswith("/") for part in parts):
        return None
    path = folder.joinpath(*parts)
    try:
        return path if path.is_file() and path.resolve().is_relative_to(folder.resolve()) else None
    except OSError:  # a name that no file system can hold, too long for one
        return None
