"""What an operation is judged by: objects before and after, the goal, and the answer's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from scorer.contract import Quantity, TruthObject
from scorer.detectors.port import Detection
from scorer.geometry import FloatArray


class Pose(NamedTuple):
    """A box in the camera frame. ``box``: (7,) [x, y, z, w, h, l, yaw]; ``rotation``: (3, 3)."""

    box: FloatArray
    rotation: FloatArray

    @classmethod
    def of_truth(cls, known: TruthObject) -> Pose:
        """The pose of an object as the ground truth states it."""
        return cls(np.array(known.bbox_3d, dtype=np.float64), np.array(known.rotation_matrix, dtype=np.float64))

    @classmethod
    def of_detection(cls, found: Detection) -> Pose:
        """The pose of an object as it was detected."""
        return cls(found.bbox_3d, found.rotation_matrix)

    def changed(self, *, box: Sequence[float] | None, rotation: Sequence[Sequence[float]] | None) -> Pose:
        """This pose with another box or rotation where one is given."""
        return Pose(
            self.box if box is None else np.array(box, dtype=np.float64),
            self.rotation if rotation is None else np.array(rotation, dtype=np.float64),
        )

    @property
    def centre(self) -> FloatArray:
        """(3,), metres."""
        return self.box[:3]

    @property
    def size(self) -> FloatArray:
        """(3,) w, h, l in metres."""
        return self.box[3:6]


@dataclass(frozen=True, eq=False)
class Origin:
    """One object in the original image.

    ``truth``: where it is. ``found``: what was seen of it; where detection failed or contradicts the truth, the truth
    itself (``measured`` False), for that is no fault of the edit.
    """

    label: str
    truth: Pose
    found: Detection
    measured: bool


@dataclass(frozen=True, eq=False)
class Change:
    """Objects of the original with what became of each; ``after[i]`` is None where ``origins[i]`` is gone.

    ``extras``: objects in the edited image that are none of these. ``target`` points into ``origins``.
    """

    origins: Sequence[Origin]
    after: Sequence[Detection | None]
    extras: Sequence[Detection]
    target: int

    @property
    def origin(self) -> Origin:
        """The target in the original."""
        return self.origins[self.target]

    @property
    def result(self) -> Detection | None:
        """The target in the edited image."""
        return self.after[self.target]


@dataclass(frozen=True)
class Compliance:
    """The answer of an operation. ``done``: IC; ``accuracy``: SA in [0, 1], 0 unless done; ``reason``: a sentence.

    ``closeness``: the accuracy before IC gates it.
    """

    done: bool
    accuracy: float
    reason: str
    closeness: float = 0.0
    quantities: Mapping[str, Quantity] = field(default_factory=dict)


def decided(*, done: bool, accuracy: float, reason: str, quantities: Mapping[str, Quantity]) -> Compliance:
    """A compliance whose accuracy is clipped to [0, 1] and counts only where the operation was done."""
    closeness = float(np.clip(accuracy, 0.0, 1.0))
    return Compliance(
        done=done, accuracy=closeness if done else 0.0, reason=reason, closeness=closeness, quantities=quantities
    )


def lost(quantities: Mapping[str, Quantity] | None = None) -> Compliance:
    """The target is not in the edited image."""
    return Compliance(
        done=False, accuracy=0.0, reason="the target was not found in the edited image", quantities=quantities or {}
    )
