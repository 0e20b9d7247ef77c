"""What this installation scores with: the operator's file of instruments, with every path absolute."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from scorer.contract import RunManifest
from scorer.installation import anchored
from server.errors import StorageError
from server.scoring.kept import DEFAULT_BYTES, KeptFolder


class Needs(NamedTuple):
    """What a judge's job must be able to reach: paths to read, the base URL of its endpoint, a GPU."""

    read_only: tuple[Path, ...]
    endpoint: str | None
    gpu: bool


@dataclass(frozen=True)
class Installation:
    """The operator's file, taken apart by who may see what."""

    content: Any

    @property
    def measuring(self) -> Any:
        """What those jobs read that measure: everything but the judge, and where things are kept."""
        if not isinstance(self.content, dict):
            return self.content  # the scorer says what is wrong with it
        return {name: value for name, value in self.content.items() if name not in ("judge", "journals", "originals")}

    @property
    def weights(self) -> tuple[Path, ...]:
        """The folders of weights, where there are any."""
        return (*_there(self._part("weights")), *_there(self._detector.get("grounding_dino")))

    @property
    def measures_on_gpu(self) -> bool:
        """Whether the detector is set up for one."""
        return str(self._detector.get("device", "cpu")).startswith("cuda")

    @property
    def _detector(self) -> dict[str, Any]:
        detector = self._part("detector")
        return detector if isinstance(detector, dict) else {}

    @property
    def judge(self) -> dict[str, Any] | None:
        """The settings of the language judge, if one is set up."""
        judge = self._part("judge")
        return judge if isinstance(judge, dict) else None

    @property
    def judge_needs(self) -> Needs:
        """What the judge's job leads to. Names of a hub are no paths."""
        judge = self.judge or {}
        model = judge.get("model")
        paths = _there(model) if isinstance(model, str) and model.startswith("/") else ()
        if judge.get("adapter") == "endpoint":
            return Needs((), judge.get("url"), gpu=False)
        return Needs(paths, None, gpu=str(judge.get("device", "cpu")).startswith(("cuda", "auto")))

    def kept(self, manifest: RunManifest) -> KeptFolder | None:
        """Where the originals' share of the work is kept, if anywhere."""
        kept = self._part("originals")
        if not isinstance(kept, dict) or not isinstance(kept.get("folder"), str):
            return None
        most = kept.get("bytes", DEFAULT_BYTES)
        return KeptFolder(Path(kept["folder"]), most if isinstance(most, int) else DEFAULT_BYTES, manifest)

    def _part(self, name: str) -> Any:
        return self.content.get(name) if isinstance(self.content, dict) else None


def _there(path: object) -> tuple[Path, ...]:
    return (Path(path),) if isinstance(path, str) and Path(path).exists() else ()


def installation_of(file: Path | None, *, weights: Path) -> Installation:
    """What this installation scores with. ``weights``: their folder where the file names none.

    Raises StorageError where the operator's file cannot be read now; whether its contents can be used is the scorer's
    to say.
    """
    if file is None:
        return Installation({"weights": str(weights)})
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise StorageError(f"GSI_INSTRUMENTS: {file.name} cannot be read ({type(error).__name__}).") from error
    if isinstance(content, dict):
        content = {"weights": str(weights), **anchored(content, base=file.parent)}
    return Installation(content)
