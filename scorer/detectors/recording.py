"""What the detector finds in a model's edited images, recorded as the official program records it.

``infer_cache.json`` then serves ``python -m scorer official`` under every profile, and the official program itself.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from scorer.contract import CameraData
from scorer.detectors.port import Detection, Detector, Learned
from scorer.environment import versions
from scorer.errors import ScorerError
from scorer.official.aborts import OfficialAbortError
from scorer.official.dataset import Layout, read_truth
from scorer.official.imaging import Frame, Image
from scorer.official.names import Match, match, scored_files
from scorer.official.pictures import UnreadableError, read_image
from scorer.official.truth import Truth
from scorer.originals import Originals, Picture

ABOUT = "infer_cache.about.json"
"""Beside the recorded detections: which detector made them, of which files, under which versions."""


class _Look(Protocol):
    def __call__(self, *, image: Image, target: str, camera: CameraData) -> list[Detection]: ...


def about(detector: Detector) -> dict[str, Any]:
    """A detector's name, the hashes of its files, and all versions that can change an answer."""
    weights, provenance = (detector.weights, detector.provenance()) if isinstance(detector, Learned) else ({}, {})
    return {"detector": detector.name, "weights": dict(weights), "versions": {**versions(), **provenance}}


class Recorder:
    """Fills the recorded detections of one model on one data set. ``skipped``: files without detections -> why.

    A record that is there already and names its image's sha256 as it is now is kept, so that an interrupted recording
    goes on; one made by another detector, or by other weights, is made anew.
    """

    def __init__(self, layout: Layout, *, detector: Detector, originals: Originals) -> None:
        self.skipped: dict[str, str] = {}
        self._layout, self._detector, self._originals = layout, detector, originals
        self._about = about(detector)
        self._records = self._earlier()
        self._seen: dict[tuple[str, str, str], list[Detection]] = {}

    @property
    def files(self) -> list[Path]:
        """The edited images that count. Raises ScorerError where there are none."""
        found = scored_files(self._layout.images)
        if not found:
            raise ScorerError(f"{self._layout.images} holds no edited images (.jpg or .png)")
        return found

    def run(self) -> Iterator[str]:
        """Record one image after the other, each written at once; yields their names."""
        self._layout.cache.parent.mkdir(parents=True, exist_ok=True)
        _write(self._layout.cache.with_name(ABOUT), self._about)
        done: set[str] = set()
        for edited in self.files:
            try:
                found = match(edited, dataset=self._layout.truth)
                if found.name.key not in done:  # of a key's .jpg and .png the first counts
                    done.add(found.name.key)
                    self._record(found)
            except (OfficialAbortError, UnreadableError) as error:
                self.skipped[edited.name] = str(error)
            yield edited.name

    def _record(self, found: Match) -> None:
        content = found.edited.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        if self._records.get(found.name.key, {}).get("image_sha256") == sha256:
            return
        truth = read_truth(found.description)
        original, edited = read_image(found.original), read_image(found.edited)
        self._records[found.name.key] = {
            "image_sha256": sha256,
            "origin_result": {"detections": self._recorded(self._in_original, original, truth)},
            "new_result": {"detections": self._recorded(self._detector.detect, edited, truth)},
        }
        _write(self._layout.cache, self._records)

    def _recorded(self, look: _Look, image: Image, truth: Truth) -> list[dict[str, Any]]:
        """Detections in the frame of the image; the same matrix for both images, whatever their sizes."""
        if "target" not in truth.fields:
            raise OfficialAbortError("KeyError", "the edit JSON has no target")
        frame = Frame.of(*image.shape[:2])
        try:
            camera = CameraData(intrinsics=frame.intrinsics(truth.intrinsics))
        except ValidationError as error:
            raise OfficialAbortError("ValueError", "camera_intrinsics cannot be used") from error
        found = look(image=image, target=str(truth.fields["target"]), camera=camera)
        return [_record_of(one, frame) for one in found]

    def _in_original(self, *, image: Image, target: str, camera: CameraData) -> list[Detection]:
        """Asked once for all edits of an original."""
        picture = Picture.of_pixels(image)
        key = picture.sha256, target, camera.model_dump_json()
        if key not in self._seen:
            self._seen[key] = self._originals.detections(picture, detector=self._detector, target=target, camera=camera)
        return self._seen[key]

    def _earlier(self) -> dict[str, Any]:
        """Records that the same detector made; none where that is not known."""
        try:
            about = json.loads(self._layout.cache.with_name(ABOUT).read_bytes())
            records = json.loads(self._layout.cache.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return records if about == self._about and isinstance(records, dict) else {}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """As the official program writes it: NaN bare."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _record_of(found: Detection, frame: Frame) -> dict[str, Any]:
    return {
        "bbox_3d": found.bbox_3d.tolist(),
        "bbox_2d": frame.to_frame(found.bbox_2d).tolist(),
        "rotation_matrix": found.rotation_matrix.tolist(),
        "label": found.label,
        "score": found.score,
    }
