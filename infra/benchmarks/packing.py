"""A checked benchmark, and its two archives: the same bytes for the same content, so that their hash is its version."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from scorer.contract import BenchmarkManifest, Strict, Truth

_TIMESTAMP = (2026, 1, 1, 0, 0, 0)

Advance = Callable[[], object]
"""Called once for every file that is done."""


@dataclass(frozen=True)
class Draft:
    """A benchmark that was found sound: what teams may know and what only the scorer may.

    ``public`` and ``hidden``: the pictures of each part, from the name in its archive to the file.
    """

    manifest: BenchmarkManifest
    truth: Truth
    public: Mapping[str, Path]
    hidden: Mapping[str, Path]


class Parts(NamedTuple):
    """The archives of a benchmark."""

    public_zip: Path
    hidden_zip: Path


def pack(draft: Draft, folder: Path, *, advance: Advance = lambda: None) -> Parts:
    """Write both archives into ``folder``: benchmark.json with the originals, truth.json with the true edits."""
    parts = Parts(folder / "public.zip", folder / "hidden.zip")
    _write(parts.public_zip, "benchmark.json", draft.manifest, draft.public, advance)
    _write(parts.hidden_zip, "truth.json", draft.truth, draft.hidden, advance)
    return parts


def _write(path: Path, name: str, head: Strict, pictures: Mapping[str, Path], advance: Advance) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(_entry(name), json.dumps(head.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n")
        for inside in sorted(pictures):
            archive.writestr(_entry(inside), pictures[inside].read_bytes())
            advance()


def _entry(name: str) -> zipfile.ZipInfo:
    """Stored as it is: pictures are compressed already, and what deflate makes depends on the library's version."""
    entry = zipfile.ZipInfo(name, date_time=_TIMESTAMP)
    entry.create_system = 3  # names and modes as on Unix, wherever it was made
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_STORED
    return entry
