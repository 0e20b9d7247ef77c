"""Whether a detector is the one that a data set was made with: does it find the stored boxes on the originals again?

The official evaluation takes that detection for the target whose box is the stored ``original_bbox_3d`` within 0.1
(seven numbers, squared differences summed); where there is none, a sample scores zero whatever the edit. So the share
of stored boxes that are found again tells at once whether weights, camera matrices and versions are right, without any
run of the official program.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scorer.contract import CameraData
from scorer.detectors.port import Detection
from scorer.geometry import FloatArray, is_same
from scorer.originals import Picture


@dataclass(frozen=True, eq=False)
class Stored:
    """A stored box of a sample: what was asked of which picture, and (7,) what should be found."""

    id: str
    subset: str
    operation: str
    picture: Callable[[], Picture]
    original: str
    target: str
    camera: CameraData
    box: FloatArray


@dataclass(frozen=True)
class Finding:
    """What became of a stored box.

    ``detections``: how many objects were seen; ``index``: the first of them that is the stored one, None for a miss.
    ``distance``: of the nearest one, squared differences summed over seven numbers; infinite where nothing was seen.
    ``centre``, ``size`` (metres) and ``yaw`` (radians): of which that is made.
    """

    id: str
    subset: str
    operation: str
    detections: int
    index: int | None
    distance: float
    centre: float
    size: float
    yaw: float

    @property
    def found(self) -> bool:
        """Whether the official evaluation would know the target."""
        return self.index is not None


class Group(NamedTuple):
    """Found boxes of a subset's operation."""

    subset: str
    operation: str
    found: int
    of: int
    nothing: int


Look = Callable[[Stored], list[Detection]]


def check(stored: Iterable[Stored], look: Look) -> Iterator[Finding]:
    """Each stored box compared with what is seen; one answer serves all samples that ask the same of a picture."""
    last: tuple[object, list[Detection]] | None = None
    for one in stored:
        asked = one.original, one.target, one.camera
        if last is None or last[0] != asked:
            last = asked, look(one)
        yield compared(one, last[1])


def compared(stored: Stored, seen: Sequence[Detection]) -> Finding:
    """The official comparison, and how near the nearest box comes."""
    index = next((i for i, one in enumerate(seen) if is_same(one.bbox_3d, stored.box)), None)
    gaps = [one.bbox_3d - stored.box for one in seen if np.isfinite(one.bbox_3d).all()]
    gap = min(gaps, key=lambda gap: float(gap @ gap), default=np.full(7, math.inf))
    return Finding(
        id=stored.id,
        subset=stored.subset,
        operation=stored.operation,
        detections=len(seen),
        index=index,
        distance=float(gap @ gap),
        centre=float(np.linalg.norm(gap[:3])),
        size=float(np.linalg.norm(gap[3:6])),
        yaw=float(abs(gap[6])),
    )


def grouped(findings: Sequence[Finding]) -> list[Group]:
    """By subset and operation, in their order of appearance."""
    groups: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for one in findings:
        groups[one.subset, one.operation].append(one)
    return [
        Group(subset, operation, sum(one.found for one in of), len(of), sum(one.detections == 0 for one in of))
        for (subset, operation), of in groups.items()
    ]


def worst(findings: Sequence[Finding], *, most: int) -> list[Finding]:
    """The misses, farthest first."""
    return sorted((one for one in findings if not one.found), key=lambda one: -one.distance)[:most]
