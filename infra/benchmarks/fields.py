"""Reads an official edit JSON: every field that the evaluation uses, with everything that is wrong with it at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infra.benchmarks.findings import Findings
from scorer.operations.parsing import VERBS, parse_operation

Numbers = list[float]
Matrix = list[list[float]]

MOST_BYTES = 2**20
_LONGEST_PROMPT = 1000
_LONGEST_TARGET = 120
_LARGEST = 1e9
_ROTATION_ERROR = 1e-3
"""How far R·Rᵀ may be from the identity: matrices may have been written with four decimals."""
_GOAL_OF = {"move": "new_bbox_3d", "scale": "new_bbox_3d", "rotate": "new_rotation_matrix"}
_BOX = "seven finite numbers [x, y, z, w, h, l, yaw], metres and radians"
_MATRIX = "three rows of three finite numbers"
_GET_AGAIN = "Get the file again from where the data set is published, or mend it."


@dataclass(frozen=True)
class Edit:
    """One edit as its JSON tells it. Boxes are (7,), matrices (3, 3); a goal is None where the operation has none.

    ``box`` and ``rotation`` may be None for a change of view alone, which is measured by its picture.
    """

    prompt: str
    target: str
    operation: str
    intrinsics: Matrix
    box: Numbers | None
    rotation: Matrix | None
    new_box: Numbers | None
    new_rotation: Matrix | None


@dataclass(frozen=True)
class _Reader:
    """The fields of one file; what is wrong goes to ``found``."""

    data: Mapping[str, Any]
    file: str
    found: Findings

    def wrong(self, field: str, wrong: str, remedy: str = _GET_AGAIN) -> None:
        self.found.error(self.file, wrong, remedy, field=field)

    def text(self, field: str, *, longest: int) -> str | None:
        value = self.data.get(field)
        if value is None:
            self.wrong(field, "is missing")
        elif not isinstance(value, str) or not value.strip():
            self.wrong(field, "is not a text")
        elif len(value) > longest:
            self.wrong(field, f"is longer than {longest} characters")
        else:
            return value
        return None

    def box(self, field: str, *, needed: bool) -> Numbers | None:
        values = self._array(field, (7,), words=_BOX, needed=needed)
        if values is None:
            return None
        if values[3:6].min() <= 0:
            self.wrong(field, "has a side (w, h or l) that is not positive")
            return None
        return [float(value) for value in values]

    def rotation(self, field: str, *, needed: bool) -> Matrix | None:
        matrix = self._array(field, (3, 3), words=_MATRIX, needed=needed)
        if matrix is None:
            return None
        if np.abs(matrix @ matrix.T - np.eye(3)).max() > _ROTATION_ERROR or np.linalg.det(matrix) < 0:
            self.wrong(field, "is no proper rotation: its rows must be unit vectors at right angles, determinant +1")
            return None
        return _as_lists(matrix)

    def intrinsics(self, field: str) -> Matrix | None:
        matrix = self._array(field, (3, 3), words=_MATRIX, needed=True)
        if matrix is None:
            return None
        below = [matrix[1, 0], *matrix[2]]
        if matrix[0, 0] <= 0 or matrix[1, 1] <= 0 or below != [0, 0, 0, 1]:
            self.wrong(field, "is no camera matrix [[fx, s, cx], [0, fy, cy], [0, 0, 1]] with positive fx and fy")
            return None
        return _as_lists(matrix)

    def _array(self, field: str, shape: tuple[int, ...], *, words: str, needed: bool) -> np.ndarray | None:
        value = self.data.get(field)
        if value is None:
            if needed:
                self.wrong(field, "is missing")
            return None
        if not _is_numbers(value, shape):
            self.wrong(field, f"must be {words}")
            return None
        return np.array(value, dtype=np.float64)


def read_edit(content: bytes, *, file: str, found: Findings) -> Edit | None:
    """The edit that a JSON describes; None, with the reasons in ``found``, where it cannot be used."""
    before = found.errors
    data = _object(content, file=file, found=found)
    if data is None:
        return None
    read = _Reader(data, file, found)
    prompt, target = read.text("prompt", longest=_LONGEST_PROMPT), read.text("target", longest=_LONGEST_TARGET)
    operation = _operation(prompt, read) if prompt is not None else None
    seen = operation != "view"
    edit = Edit(
        prompt=prompt or "",
        target=target or "",
        operation=operation or "",
        intrinsics=read.intrinsics("camera_intrinsics") or [],
        box=read.box("original_bbox_3d", needed=seen),
        rotation=read.rotation("rotation_matrix", needed=seen),
        new_box=read.box("new_bbox_3d", needed=_GOAL_OF.get(operation or "") == "new_bbox_3d"),
        new_rotation=read.rotation("new_rotation_matrix", needed=operation == "rotate"),
    )
    return edit if found.errors == before else None


def goal_field(operation: str) -> str:
    """The field that says what an operation asks for; empty where none does."""
    return _GOAL_OF.get(operation, "")


def _object(content: bytes, *, file: str, found: Findings) -> Mapping[str, Any] | None:
    if len(content) > MOST_BYTES:
        found.error(file, f"is larger than {MOST_BYTES:,} bytes", _GET_AGAIN)
        return None
    try:
        data = json.loads(content, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        found.error(file, f"is no JSON: {error.msg} in line {error.lineno}", _GET_AGAIN)
    except (ValueError, RecursionError) as error:
        found.error(file, f"is no JSON: {error}" if isinstance(error, _RepeatedError) else "is no JSON", _GET_AGAIN)
    else:
        if isinstance(data, dict):
            return data
        found.error(file, "is no JSON object", _GET_AGAIN)
    return None


class _RepeatedError(ValueError):
    pass


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise _RepeatedError("a field stands in it twice")
    return data


def _operation(prompt: str, read: _Reader) -> str | None:
    try:
        operation = parse_operation(prompt)
    except ValueError:
        operation = ""
    if operation in VERBS:
        return operation
    verbs = ", ".join(verb for verbs in VERBS.values() for verb in verbs)
    read.wrong("prompt", f"begins with no verb of an operation ({operation[:40]!r})", f"Begin it with one of: {verbs}.")
    return None


def _is_numbers(value: object, shape: tuple[int, ...]) -> bool:
    if not shape:
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return plain and abs(value) <= _LARGEST  # type: ignore[arg-type]  # false for what is not finite
    return isinstance(value, list) and len(value) == shape[0] and all(_is_numbers(one, shape[1:]) for one in value)


def _as_lists(matrix: np.ndarray) -> Matrix:
    return [[float(value) for value in row] for row in matrix]
