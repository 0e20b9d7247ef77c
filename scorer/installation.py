"""Where an installation keeps what scorers need: paths of its file of instruments, and the folder of weights.

Nothing but the standard library, so that the server can lay a job out without loading a scorer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def default_weights_folder(environment: Mapping[str, str]) -> Path:
    """Where weights are kept: $GSI_WEIGHTS, else $XDG_CACHE_HOME/gsi/weights, else ~/.cache/gsi/weights; absolute."""
    if environment.get("GSI_WEIGHTS"):
        return Path(environment["GSI_WEIGHTS"]).absolute()
    cache = environment.get("XDG_CACHE_HOME")
    return ((Path(cache) if cache else Path.home() / ".cache") / "gsi" / "weights").absolute()


def anchored(content: Mapping[str, Any], *, base: Path) -> dict[str, Any]:
    """The contents of a file of instruments with every path absolute: relative ones begin where the file lies.

    A local judge's ``model`` is a path where such a folder exists, else the id of a hub's repository. What is not of
    the form is left as it is, for its reader to refuse.
    """

    def absolute(value: Any) -> Any:
        return str(base.absolute() / value) if isinstance(value, str) and value else value

    found = {**content, **{name: absolute(content[name]) for name in ("weights", "journals") if name in content}}
    originals, judge, detector = (content.get(name) for name in ("originals", "judge", "detector"))
    if isinstance(originals, dict) and "folder" in originals:
        found["originals"] = {**originals, "folder": absolute(originals["folder"])}
    if isinstance(detector, dict) and "grounding_dino" in detector:
        found["detector"] = {**detector, "grounding_dino": absolute(detector["grounding_dino"])}
    if isinstance(judge, dict):
        paths = {"journal"} | ({"model"} if judge.get("adapter") == "local" and _is_folder(judge, base) else set())
        found["judge"] = {name: absolute(value) if name in paths else value for name, value in judge.items()}
    return found


def _is_folder(judge: Mapping[str, Any], base: Path) -> bool:
    return isinstance(judge.get("model"), str) and (base / judge["model"]).is_dir()
