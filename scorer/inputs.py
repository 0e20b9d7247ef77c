"""A run's input folder, read and cross-checked once; whatever is inconsistent in it is a fault of ours."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from scorer.contract import BenchmarkManifest, CameraData, Kind, RunManifest, Sample, Truth, TruthSample
from scorer.errors import BenchmarkError
from scorer.gate.images import Pixels
from scorer.geometry import centre_distance, rotation_angle
from scorer.operations.parsing import parse_operation
from scorer.writing import read_model

MANIFEST = "manifest.json"
BENCHMARK = "benchmark.json"
TRUTH = "truth/truth.json"
ARCHIVE = "submission.zip"

_LEAST_CHANGE = 1e-6
"""Metres, radians or logarithm of a factor: a goal that asks for less than this asks for nothing."""
_MOVES = ("move", "place")


@dataclass(frozen=True)
class Task:
    """One sample with its hidden part."""

    sample: Sample
    truth: TruthSample

    @property
    def camera(self) -> CameraData:
        """The public camera of the original."""
        return self.sample.camera


class Source(Protocol):
    """Where the images of samples come from."""

    def original(self, sample: Sample) -> Pixels:
        """The original image (height, width, 3)."""
        ...

    def ground_truth(self, task: Task) -> Pixels:
        """The true edit (height, width, 3). Raises ScorerError where there is none."""
        ...


@dataclass(frozen=True)
class Inputs:
    """Everything that a run reads. ``folder`` holds the files of one subset, see :mod:`scorer.contract`."""

    folder: Path
    manifest: RunManifest
    benchmark: BenchmarkManifest
    tasks: tuple[Task, ...]

    @property
    def archive(self) -> Path:
        """The submission."""
        return self.folder / ARCHIVE

    def original(self, sample: Sample) -> Pixels:
        """The original image (height, width, 3). Raises BenchmarkError where it is unusable."""
        return _image(self.folder / sample.original, sample)

    @property
    def kind(self) -> Kind:
        """Where the images of the run's subset come from."""
        return next(subset.kind for subset in self.benchmark.subsets if subset.id == self.manifest.subset)

    def ground_truth(self, task: Task) -> Pixels:
        """The true edit (height, width, 3). Raises BenchmarkError where it is missing or unusable."""
        if task.truth.gt_image is None:
            raise BenchmarkError(f"sample {task.sample.id}: the true edit is missing")
        return _image((self.folder / TRUTH).parent / task.truth.gt_image, task.sample)


def load(folder: Path) -> Inputs:
    """Read and cross-check a run's folder. Raises BenchmarkError; its message names fields, never their values."""
    manifest = read_model(folder / MANIFEST, RunManifest)
    benchmark = read_model(folder / BENCHMARK, BenchmarkManifest)
    truth = read_model(folder / TRUTH, Truth)
    if manifest.benchmark != benchmark.benchmark:
        raise BenchmarkError(f"the run is for {manifest.benchmark}, the manifest of {benchmark.benchmark}")
    samples = benchmark.of_subset(manifest.subset)
    if not samples:
        raise BenchmarkError(f"{benchmark.benchmark} has no subset {manifest.subset}")
    without = [sample.id for sample in samples if sample.id not in truth.samples]
    if without:
        raise BenchmarkError(f"{len(without)} samples have no ground truth, the first is {without[0]}")
    tasks = tuple(Task(sample, truth.samples[sample.id]) for sample in samples)
    for task in tasks:
        _require_sense(task)
    return Inputs(folder=folder, manifest=manifest, benchmark=benchmark, tasks=tasks)


def _require_sense(task: Task) -> None:
    """Refuse a sample whose truth cannot be scored."""
    wrong = complaint(task)
    if wrong is not None:
        raise BenchmarkError(f"sample {task.sample.id}: {wrong}")


def complaint(task: Task) -> str | None:
    """Why a sample cannot be scored with this truth, without any of its values; None where it can."""
    sample, truth = task.sample, task.truth
    try:
        parsed = parse_operation(sample.instruction)
    except ValueError:
        parsed = ""
    if parsed != ("move" if sample.operation == "place" else sample.operation):
        return f"the instruction reads as '{parsed}', the manifest says {sample.operation}"
    if any(min(known.bbox_3d[3:6]) <= 0 for known in (*truth.objects, *truth.new_objects)):
        return "an object has no size"
    return _view_complaint(truth) if sample.operation == "view" else _object_complaint(sample, truth)


def _view_complaint(truth: TruthSample) -> str | None:
    if not truth.new_objects:  # nobody knows where they appear: it is measured by the picture
        return None if truth.gt_image is not None else "a view needs its true view, as objects or as an image"
    if not truth.objects or len(truth.objects) != len(truth.new_objects):
        return "a view needs the same objects before and after"
    pairs = zip(truth.objects, truth.new_objects, strict=True)
    if max(centre_distance(old.bbox_3d, new.bbox_3d) for old, new in pairs) < _LEAST_CHANGE:
        return "the goal is the original"
    return None


def _object_complaint(sample: Sample, truth: TruthSample) -> str | None:
    if truth.target_index is None:
        return "the target is not named"
    if sample.operation == "remove":
        return None
    if truth.new_bbox_3d is None and truth.new_rotation_matrix is None:
        return "the goal is missing"
    before = truth.objects[truth.target_index]
    box = np.array(truth.new_bbox_3d or before.bbox_3d)
    rotation = truth.new_rotation_matrix or before.rotation_matrix
    changes: dict[str, Callable[[], float]] = {
        "move": lambda: centre_distance(box, before.bbox_3d),
        "rotate": lambda: rotation_angle(rotation, before.rotation_matrix),
        "scale": lambda: float(np.abs(np.log(np.maximum(box[3:6], 1e-12) / np.array(before.bbox_3d[3:6]))).max()),
    }
    kind = "move" if sample.operation in _MOVES else sample.operation
    return "the goal is the original" if changes[kind]() < _LEAST_CHANGE else None


def _image(path: Path, sample: Sample) -> Pixels:
    try:
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB"), dtype=np.uint8)
    except OSError as error:
        # Pillow's complaints about content are OSErrors without a number; a failing disk has one.
        if error.errno not in (None, errno.ENOENT):
            raise
        raise BenchmarkError(f"{path.name} is missing or cannot be read") from error
    except (SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BenchmarkError(f"{path.name} cannot be read") from error
    if pixels.shape[:2] != (sample.height, sample.width):
        raise BenchmarkError(f"{path.name} does not have the size that the manifest states for {sample.id}")
    return pixels
