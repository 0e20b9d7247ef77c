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


def match(
    edited: Path, *, dataset: Path, keep_marker: bool = False, exact: bool = False, absent: bool = False
) -> Match:
    """Find the files of an edited image. Raises OfficialAbortError where the official code ends its run.

    Other profiles keep ``_rgb`` in names (``keep_marker``), take a neighbour's file for none (``exact``), and ask for
    the files of a sample whose edited image is missing (``absent``).
    """
    edited = edited if keep_marker else without_marker(edited)
    name = read_name(edited)
    description = dataset / name.description
    original = _original(name.image, dataset=dataset, exact=exact)
    needed = (("edited image", edited), ("original", original), ("edit JSON", description))
    for what, path in needed[1:] if absent else needed:
        if path is None or not path.exists():
            missing = path.name if path is not None else f"{name.image}.jpg, .jpeg or .png"
            raise OfficialAbortError("FileNotFoundError", f"{edited.name}: no {what} {missing}")
    assert original is not None  # noqa: S101 - told to the type checker: checked in the loop
    return Match(name, edited, original, description, _ground_truth(name, dataset=dataset, exact=exact))


def _original(image: str, *, dataset: Path, exact: bool) -> Path | None:
    """The exact stem, else the first file that begins with it; a neighbour's may be taken (D21)."""
    for ending in _ORIGINAL:
        if (own := dataset / f"{image}{ending}").exists():
            return own
    if exact:
        return None
    alike = {name for ending in _ORIGINAL for name in glob.glob(f"{image}*{ending}", root_dir=dataset)}
    found = sorted(name for name in alike if _SEPARATOR not in name)
    return dataset / found[0] if found else None


def _ground_truth(name: Name, *, dataset: Path, exact: bool) -> Path | None:
    """The first file whose name holds the query after ``gtedit_``; query 1 finds query 10's too (D21)."""
    found = sorted(glob.glob(f"{name.image}_*gtedit_{name.query}*.*", root_dir=dataset))
    if exact:
        found = [one for one in found if one.startswith(f"{name.image}_gtedit_{name.query}.")]
    return dataset / found[0] if found else None
