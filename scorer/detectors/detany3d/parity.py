"""Whether our network computes what the official one does: a file of reference values against seeded weights.

A reference file (``.npz``) holds an image, boxes and intrinsics (``in__…``), and what the official code computed
from them with the weights of ``seeded.py``: intermediates, answers, boxes. A value stands there whole, or as a part
of it, which its name says: ``X__sub`` (every so many-th along each axis), ``X__every_16th_channel``, ``X_00`` (one
cell of a map).
"""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from scorer.detectors.detany3d.model import DetAny3D
from scorer.detectors.detany3d.preprocess import ImageShapeError
from scorer.detectors.detany3d.tracing import Array, answer, see, values_of
from scorer.errors import ScorerError

IMAGE, BOXES, INTRINSICS = "in__image_uint8", "in__boxes_cxcywh_normalised", "in__K_gt"
PROMPTS = "in__batch_boxes"
_SEEDS = ("seed", "in__seed")


class Bound(NamedTuple):
    """``most``: the largest difference of values up to ``magnitude``; float32 allows larger ones in proportion."""

    most: float
    magnitude: float


EQUAL = Bound(0.0, 1.0)
"""Whole numbers that are made from the inputs."""
PIXELS = Bound(2e-3, 1000.0)
"""2D boxes and predicted intrinsics, in pixels."""
ELSEWHERE = Bound(1e-4, 6.0)
"""Everything else that is computed: embeddings, boxes, rotations, intermediates."""


class Reference(NamedTuple):
    """``arrays``: everything in the file; ``seed``: of its weights; ``boxes``: those of the values, (n, 4)."""

    arrays: dict[str, Array]
    seed: int
    boxes: Array

    @property
    def expected(self) -> dict[str, Array]:
        """The arrays that are not inputs."""
        inputs = {IMAGE, BOXES, INTRINSICS, *_SEEDS}
        return {name: one for name, one in self.arrays.items() if name not in inputs}


class Row(NamedTuple):
    """One array's comparison. ``worst``: largest absolute difference; ``fault``: why there is none, otherwise empty."""

    name: str
    shape: tuple[int, ...]
    worst: float
    bound: float
    fault: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is within its bound; what is not a number is not."""
        return not self.fault and self.worst <= self.bound


def read(path: Path, *, seed: int | None = None) -> Reference:
    """Read a reference file. ``seed``: of its weights; None: what the file says, else its name, else 0.

    Raises ScorerError for a file that cannot be read, lacks an input or holds none that can be used.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ScorerError(f"{path} cannot be read as a file of reference values (.npz)") from error
    wanted = {IMAGE: "(height, width, 3) uint8", BOXES: "(n, 4) numbers"}
    for name, kind in wanted.items():
        if name not in arrays or not _usable(name, arrays[name]):
            raise ScorerError(f"{path.name} is not a file of reference values: it needs {name}, {kind}")
    return reference_of(arrays, seed=_seed(arrays, path.stem) if seed is None else seed)


def reference_of(arrays: dict[str, Array], *, seed: int) -> Reference:
    """The values are of the first boxes, as many as there are prompts: a file may list boxes of later questions too."""
    boxes = arrays[BOXES].reshape(-1, 4).astype(np.float32)
    return Reference(arrays, seed, boxes[: len(arrays[PROMPTS])] if PROMPTS in arrays else boxes)


def check(network: DetAny3D, reference: Reference) -> list[Row]:
    """Run the network on the file's inputs and compare. Raises ScorerError for an image that it cannot take."""
    try:
        seen = see(network, reference.arrays[IMAGE])
    except ImageShapeError as error:
        raise ScorerError(str(error)) from error
    answered = answer(network, seen.encoding, reference.boxes, reference.arrays.get(INTRINSICS))
    return compare(reference, values_of(seen, answered))


def compare(reference: Reference, values: dict[str, Tensor]) -> list[Row]:
    """One row for each array of the file that is not an input."""
    return [_row(name, one, values) for name, one in reference.expected.items()]


def bound_of(name: str, expected: Array) -> float:
    """The largest difference allowed in an array of numbers of that name."""
    pixels = re.search(r"(bboxes_2d|pred_K)$", name)
    bound = EQUAL if name.startswith("in__") else PIXELS if pixels else ELSEWHERE
    return bound.most * max(1.0, float(np.abs(expected).max(initial=0.0)) / bound.magnitude)


def part_of(name: str, shape: tuple[int, ...], values: dict[str, Tensor]) -> Array | None:
    """Our value of that name and shape; None where there is none."""
    for suffix, part in _PARTS:
        found = re.fullmatch(rf"(.+?){suffix}", name)
        if found and found.group(1) in values:
            whole = values[found.group(1)].float().cpu().numpy()
            return next((one for one in part(whole, found.groups()[1:], shape) if one.shape == shape), None)
    return None


def _row(name: str, expected: Array, values: dict[str, Tensor]) -> Row:
    shape = expected.shape
    if not np.issubdtype(expected.dtype, np.number) or not np.isfinite(expected).all():
        return Row(name, shape, math.nan, math.nan, "holds other things than finite numbers")
    bound = bound_of(name, expected)
    ours = part_of(name, shape, values)
    if ours is None:
        return Row(name, shape, math.nan, bound, "no value of that name and shape is computed")
    worst = float(np.abs(ours.astype(np.float64) - expected.astype(np.float64)).max(initial=0.0))
    return Row(name, shape, worst, bound)


def _layouts(whole: Array) -> list[Array]:
    """As it is; a map (n, rows, columns, channels) also with its channels second, and as tokens."""
    if whole.ndim != 4:
        return [whole]
    n, rows, columns, channels = whole.shape
    return [whole, whole.transpose(0, 3, 1, 2), whole.reshape(n, rows * columns, channels)]


def _whole(whole: Array, _: tuple[str, ...], shape: tuple[int, ...]) -> list[Array]:
    return _layouts(whole)


def _strided(whole: Array, _: tuple[str, ...], shape: tuple[int, ...]) -> list[Array]:
    """Every 1st, 2nd, 4th, 8th … along each axis: the smallest such step that gives the shape."""
    found = []
    for one in _layouts(whole):
        steps = [_step(have, want) for have, want in zip(one.shape, shape, strict=False)]
        if one.ndim == len(shape) and all(steps):
            found.append(one[tuple(slice(None, None, step) for step in steps)])
    return found


def _step(have: int, want: int) -> int:
    return next((step for step in (1, 2, 4, 8, 16, 32, 64) if -(-have // step) == want), 0)


def _channels(whole: Array, groups: tuple[str, ...], shape: tuple[int, ...]) -> list[Array]:
    return [whole[:, :: int(groups[0])]]


def _cell(whole: Array, groups: tuple[str, ...], shape: tuple[int, ...]) -> list[Array]:
    row, column = map(int, groups)
    return [whole[:, :, row, column]] if whole.ndim == 4 else []


_PARTS = (
    ("", _whole),
    ("__sub", _strided),
    (r"__every_(\d+)(?:st|nd|rd|th)_channel", _channels),
    (r"_(\d)(\d)", _cell),
)


def _usable(name: str, value: Array) -> bool:
    if name == IMAGE:
        return value.dtype == np.uint8 and value.ndim == 3 and value.shape[2] == 3 and value.size > 0
    return np.issubdtype(value.dtype, np.number) and (value.size == 0 or value.shape[-1] == 4)


def _seed(arrays: dict[str, Array], name: str) -> int:
    for key in _SEEDS:
        if key in arrays:
            return int(arrays[key].item())
    said = re.search(r"seed(\d+)", name)
    return int(said.group(1)) if said else 0
