"""The official folders: data sets, edited images, recorded detections and recorded judgements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorer.errors import ScorerError
from scorer.official.aborts import OfficialAbortError
from scorer.official.aggregate import model_name
from scorer.official.kinds import DATASETS, Kind
from scorer.official.replies import parse_replies
from scorer.official.truth import Detection, Truth


@dataclass(frozen=True)
class Detections:
    """What the detector found on the original and on the edited image of one sample, in its order."""

    origin: tuple[Detection, ...]
    result: tuple[Detection, ...]


@dataclass(frozen=True)
class RecordedDetector:
    """The official ``infer_cache.json``: sample key -> detections. It holds no image hashes (D22)."""

    records: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path) -> RecordedDetector:
        """Read a cache. Raises ScorerError for a file that is missing or no JSON object."""
        return cls(_read_object(path, what="recorded detections"))

    def find(self, key: str) -> Detections | None:
        """The detections of a sample, or None where none are recorded. Raises OfficialAbortError for bad records."""
        if key not in self.records:
            return None
        try:
            record = self.records[key]
            origin, result = (record[side]["detections"] for side in ("origin_result", "new_result"))
            return Detections(tuple(map(Detection.read, origin)), tuple(map(Detection.read, result)))
        except (KeyError, TypeError) as error:
            raise OfficialAbortError(type(error).__name__, f"{key}: the recorded detections are incomplete") from error


@dataclass(frozen=True)
class Layout:
    """Where one model's files of one data set lie: the official folders around ``./eval/<model>/``."""

    dataset: str
    truth: Path
    model: Path

    @property
    def kind(self) -> Kind:
        """Which locality gate holds."""
        return DATASETS[self.dataset]

    @property
    def images(self) -> Path:
        """The folder of edited images."""
        return self.model / f"generated_images_{self.dataset}"

    @property
    def cache(self) -> Path:
        """The recorded detections."""
        return self.model / f"{self.dataset}_eval" / "infer_cache.json"

    @property
    def model_name(self) -> str:
        """As summaries and judges' files call the model."""
        return model_name(self.model.name)

    def judgements(self, folder: Path) -> Path | None:
        """The judge's predictions: the first file by name ``*<dataset>_<model>.json``, or None."""
        ending = f"{self.dataset}_{self.model_name}.json"
        return next((path for path in sorted(folder.glob("*.json")) if path.name.endswith(ending)), None)


def read_truth(path: Path) -> Truth:
    """An edit JSON. Raises OfficialAbortError where it is no JSON object."""
    try:
        fields = json.loads(path.read_bytes())
    except ValueError as error:
        raise OfficialAbortError("JSONDecodeError", f"{path.name} is not valid JSON") from error
    if not isinstance(fields, dict):
        raise OfficialAbortError("TypeError", f"{path.name} holds no JSON object")
    return Truth(fields)


def read_judgements(path: Path) -> dict[str, Any]:
    """A judge's predictions: index -> score. ScorerError: no JSON list. OfficialAbortError: bad entries."""
    content = _read_json(path, what="judgements")
    if not isinstance(content, list):
        raise ScorerError(f"{path}: judgements are a JSON list of predictions")
    return parse_replies(content)


def unsubmitted(layout: Layout, *, matched: set[str]) -> list[str]:
    """The edit JSONs of the data set that no edited image was found for; the official code never looks (D12)."""
    return sorted(path.name for path in layout.truth.glob("*_edit_*.json") if path.name not in matched)


def _read_object(path: Path, *, what: str) -> dict[str, Any]:
    content = _read_json(path, what=what)
    if not isinstance(content, dict):
        raise ScorerError(f"{path}: {what} are a JSON object")
    return content


def _read_json(path: Path, *, what: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ScorerError(f"{path}: no such file; it should hold the {what}") from error
    except ValueError as error:
        raise ScorerError(f"{path}: the {what} are not valid JSON") from error
