"""From file names to samples, as the official evaluation matches them (docs/protocol.md, gsi-official-1, "Files").

Where the official code takes the first file in the file system's order, the first by name is taken: one of the answers
that it can give, and the same on every machine.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from pathlib import Path

from scorer.official.aborts import OfficialAbortError

_SCORED = (".jpg", ".png")
_ORIGINAL = (".jpg", ".jpeg", ".png")
_IMAGE_EXTENSION = re.compile(r"\.(jpg|jpeg|png|bmp|gif)$", re.IGNORECASE)
_SEPARATOR = "_edit_"
_DROPPED = "_rgb"


@dataclass(frozen=True)
class Name:
    """What the name of an edited image says: the scene, the query, and the stem of its edit JSON."""

    image: str
    query: str
    description: str

    @property
    def key(self) -> str:
        """The sample's key in every result file."""
        return f"{self.image}_{self.query}"


@dataclass(frozen=True)
class Match:
    """The files of one sample; ``ground_truth`` where the data set has an image of the edit."""

    name: Name
    edited: Path
    original: Path
    description: Path
    ground_truth: Path | None


def scored_files(folder: Path) -> list[Path]:
    """The edited images that count: in the top level, ending in lower-case ``.jpg``, then those in ``.png``."""
    return [folder / name for ending in _SCORED for name in sorted(glob.glob(f"*{ending}", root_dir=folder))]


def without_marker(edited: Path) -> Path:
    """The path that is used in an edited path's place: ``_rgb`` is deleted everywhere, in folders too (D14)."""
    return Path(str(edited).replace(_DROPPED, ""))


def read_name(edited: Path) -> Name:
    """What a file name says. Raises OfficialAbortError where ``_edit_`` is missing."""
    pieces = edited.name.split(_SEPARATOR)
    if len(pieces) < 2:
        raise OfficialAbortError("ValueError", f"{edited.name}: the name has no {_SEPARATOR!r}")
    return Name(image=pieces[0], query=pieces[1].split(".")[0], description=_IMAGE_EXTENSION.sub(".json", edited.name))


def match(edited: Path, *, dataset: Path) -> Match:
    """Find the files of an edited image. Raises OfficialAbortError where the official code ends its run."""
    edited = without_marker(edited)
    name = read_name(edited)
    description = dataset / name.description
    original = _original(name.image, dataset=dataset)
    for what, path in (("edited image", edited), ("original", original), ("edit JSON", description)):
        if path is None or not path.exists():
            missing = path.name if path is not None else f"{name.image}.jpg, .jpeg or .png"
            raise OfficialAbortError("FileNotFoundError", f"{edited.name}: no {what} {missing}")
    assert original is not None  # noqa: S101 - told to the type checker: checked in the loop
    return Match(name, edited, original, description, _ground_truth(name, dataset=dataset))


def _original(image: str, *, dataset: Path) -> Path | None:
    """The exact stem, else the first file that begins with it; a neighbour's may be taken (D21)."""
    for ending in _ORIGINAL:
        if (exact := dataset / f"{image}{ending}").exists():
            return exact
    alike = {name for ending in _ORIGINAL for name in glob.glob(f"{image}*{ending}", root_dir=dataset)}
    found = sorted(name for name in alike if _SEPARATOR not in name)
    return dataset / found[0] if found else None


def _ground_truth(name: Name, *, dataset: Path) -> Path | None:
    """The first file whose name holds the query after ``gtedit_``; query 1 finds query 10's too (D21)."""
    found = sorted(glob.glob(f"{name.image}_*gtedit_{name.query}*.*", root_dir=dataset))
    return dataset / found[0] if found else None
