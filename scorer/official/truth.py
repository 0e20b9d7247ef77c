"""What an edit JSON and a detector's record say, as values. Fields are asked for where the official code reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorer.geometry import FloatArray
from scorer.official.aborts import OfficialAbortError


@dataclass(frozen=True)
class Truth:
    """The edit JSON of a sample. A field that is missing aborts only where it is needed (docs/protocol.md)."""

    fields: Mapping[str, Any]

    @property
    def prompt(self) -> str:
        """The instruction."""
        if not isinstance(self.fields.get("prompt"), str):
            raise OfficialAbortError("AssertionError", "the edit JSON has no prompt")
        return str(self.fields["prompt"])

    @property
    def original(self) -> FloatArray:
        """``original_bbox_3d``: (7,) [x, y, z, w, h, l, yaw], metres and radians."""
        return self._array("original_bbox_3d", (7,))

    @property
    def rotation(self) -> FloatArray:
        """``rotation_matrix`` of the original box, (3, 3)."""
        return self._array("rotation_matrix", (3, 3))

    @property
    def intrinsics(self) -> FloatArray:
        """``camera_intrinsics``, (3, 3), pixels of the 896 frame."""
        return self._array("camera_intrinsics", (3, 3))

    @property
    def goal(self) -> FloatArray:
        """``new_bbox_3d`` of a move or scale, (7,)."""
        return self._array("new_bbox_3d", (7,))

    @property
    def goal_rotation(self) -> FloatArray:
        """``new_rotation_matrix`` of a rotation, (3, 3)."""
        return self._array("new_rotation_matrix", (3, 3))

    def _array(self, field: str, shape: tuple[int, ...]) -> FloatArray:
        if field not in self.fields:
            raise OfficialAbortError("KeyError", f"the edit JSON has no {field}")
        return _shaped(self.fields[field], field=field, shape=shape)


@dataclass(frozen=True, eq=False)
class Detection:
    """One object that the detector found, in the 896 frame.

    ``box``: (7,) [x, y, z, w, h, l, yaw]; ``rectangle``: (4,) [x1, y1, x2, y2], pixels; ``rotation``: (3, 3), or None
    where the record has none (only rotations need it).
    """

    box: FloatArray
    rectangle: FloatArray
    rotation: FloatArray | None

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Detection:
        """From an entry of ``detections``. Raises OfficialAbortError for a missing or misshapen field."""
        for field in ("bbox_3d", "bbox_2d"):
            if field not in record:
                raise OfficialAbortError("KeyError", f"a detection has no {field}")
        rotation = record.get("rotation_matrix")
        return cls(
            box=_shaped(record["bbox_3d"], field="bbox_3d", shape=(7,)),
            rectangle=_shaped(record["bbox_2d"], field="bbox_2d", shape=(4,)),
            rotation=None if rotation is None else _shaped(rotation, field="rotation_matrix", shape=(3, 3)),
        )


def _shaped(value: object, *, field: str, shape: tuple[int, ...]) -> FloatArray:
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise OfficialAbortError(type(error).__name__, f"{field} is not made of numbers") from error
    if array.shape != shape:
        raise OfficialAbortError("ValueError", f"{field} has the shape {array.shape}, not {shape}")
    return array
