"""Which files of an official data set folder belong together (docs/protocol.md, profile gsi-official-1).

`<img_id>.jpg|jpeg|png` is an original, `<img_id>_edit_<query_id>.json` describes an edit of it, and
`<img_id>_…gtedit_<query_id>.<ending>` is the true edit. Stricter than the official program, which takes the first file
that begins alike: whatever has two readings is refused here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from infra.benchmarks.findings import Findings

ENDINGS = (".jpg", ".jpeg", ".png")
"""Of originals, in the order in which the official program prefers them."""
_TRUE_EDIT_ENDINGS = (*ENDINGS, ".webp")
_SEPARATOR = "_edit_"
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_QUERY = re.compile(r"[A-Za-z0-9-]+")
_TRUE_EDIT = re.compile(r".+_.*?gtedit_(?P<query>[A-Za-z0-9-]+)(?:_.*)?")
_LONGEST = 120


@dataclass(frozen=True)
class EditFiles:
    """The files of one sample, by name; ``id`` is `<img_id>_edit_<query_id>`, ``scene`` the img_id."""

    id: str
    scene: str
    description: str
    original: str
    true_edit: str | None

    @property
    def order(self) -> tuple[str, int, str]:
        """Scene by scene, and within one the queries as people count."""
        query = self.id.removeprefix(self.scene + _SEPARATOR)
        return self.scene, int(query) if query.isdecimal() else 0, query


def match(names: Iterable[str], *, folder: str, found: Findings) -> list[EditFiles]:
    """The samples among the files of a folder. What does not fit goes to ``found``, as ``folder/name``."""
    names = sorted(names)
    edits = _edits([name for name in names if name.endswith(".json")], folder=folder, found=found)
    scenes = {scene for scene, _ in edits.values()}
    pictures = [name for name in names if PurePosixPath(name).suffix in _TRUE_EDIT_ENDINGS]
    true_edits = _true_edits(pictures, scenes, folder=folder, found=found)
    originals = {scene: _original(scene, scenes, pictures, folder=folder, found=found) for scene in sorted(scenes)}
    samples = [
        EditFiles(
            id=name.removesuffix(".json"),
            scene=scene,
            description=name,
            original=original,
            true_edit=true_edits.get((scene, query)),
        )
        for name, (scene, query) in edits.items()
        if (original := originals[scene]) is not None
    ]
    described = [name for key, name in true_edits.items() if key in edits.values()]
    used = {*edits, *(name for name in originals.values() if name), *described}
    _tell_unused([name for name in names if name not in used], folder=folder, found=found)
    return sorted(samples, key=lambda one: one.order)


def _edits(names: list[str], *, folder: str, found: Findings) -> dict[str, tuple[str, str]]:
    """Scene and query of every edit JSON with a usable name."""
    edits = {}
    for name in names:
        scene, separator, query = name.removesuffix(".json").partition(_SEPARATOR)
        if not separator:
            continue
        wrong = _wrong_name(scene, query)
        if wrong is None:
            edits[name] = scene, query
        else:
            remedy = "Name it <img_id>_edit_<query_id>.json: letters, digits, '-' (and '.', '_' in img_id)."
            found.error(f"{folder}/{name}", wrong, remedy)
    repeated = Counter(name.casefold() for name in edits)
    for name in edits:
        if repeated[name.casefold()] > 1:
            wrong = "differs from another file only in upper and lower case"
            found.error(f"{folder}/{name}", wrong, "Rename one of them, with its pictures.")
    return edits


def _wrong_name(scene: str, query: str) -> str | None:
    if not _IDENTIFIER.fullmatch(scene):
        return "the part before _edit_ is no usable id"
    if not _QUERY.fullmatch(query):
        return "the part after _edit_ is no usable query id"
    if "_rgb" in scene + query:
        return "the name holds _rgb, which the official evaluation deletes from every name"
    if len(scene) + len(_SEPARATOR) + len(query) > _LONGEST:
        return f"the id is longer than {_LONGEST} characters"
    return None


def _true_edits(pictures: list[str], scenes: set[str], *, folder: str, found: Findings) -> dict[tuple[str, str], str]:
    """The true edits by scene and query; of scenes that begin alike, the longest is meant."""
    true_edits: dict[tuple[str, str], str] = {}
    for name in pictures:
        parts = _TRUE_EDIT.fullmatch(PurePosixPath(name).stem)
        fitting = [scene for scene in scenes if name.startswith(scene + "_")]
        if parts is None or not fitting:
            continue
        key = max(fitting, key=len), parts["query"]
        if key in true_edits:
            wrong = f"is a second true edit of {key[0]}_edit_{key[1]}, beside {true_edits[key]}"
            found.error(f"{folder}/{name}", wrong, "Keep the right one.")
        else:
            true_edits[key] = name
    return true_edits


def _original(scene: str, scenes: set[str], pictures: list[str], *, folder: str, found: Findings) -> str | None:
    """The original with exactly that stem, else the only one that begins so and belongs to no other scene."""
    exact = [scene + ending for ending in ENDINGS if scene + ending in pictures]
    if exact:
        return exact[0]
    alike = [name for name in pictures if _may_be_original(name, scene, scenes)]
    if len(alike) == 1:
        wrong = f"is taken as the original of {scene}, whose name it only begins with"
        found.warning(f"{folder}/{alike[0]}", wrong, f"Look whether it is; else add {scene}.png.")
        return alike[0]
    wrong = f"has several pictures that may be its original: {', '.join(alike)}" if alike else "has no original"
    found.error(f"{folder}/{scene}", wrong, f"Add {scene}.jpg, {scene}.jpeg or {scene}.png.")
    return None


def _may_be_original(name: str, scene: str, scenes: set[str]) -> bool:
    path = PurePosixPath(name)
    if not path.stem.startswith(scene + "_") or path.suffix not in ENDINGS:
        return False
    others = any(path.stem == one or (len(one) > len(scene) and path.stem.startswith(one + "_")) for one in scenes)
    return not others and _SEPARATOR not in name and "gtedit_" not in name


def _tell_unused(names: list[str], *, folder: str, found: Findings) -> None:
    for name in names:
        path = PurePosixPath(name)
        if path.suffix in ENDINGS and _SEPARATOR not in name and "gtedit_" not in name:
            wrong = "no edit JSON speaks of this original"
            found.warning(f"{folder}/{name}", wrong, f"Add {path.stem}_edit_<query_id>.json if one is missing.")
        elif _SEPARATOR not in name or path.suffix != ".json":
            wrong = "is no part of the data set and is left out"
            found.warning(f"{folder}/{name}", wrong, "Nothing needs to be done, unless its name is mistyped.")
