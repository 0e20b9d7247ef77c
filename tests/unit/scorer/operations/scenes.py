"""Random scenes of cuboids as truth and as detections, without images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from scorer.blocks.camera import Camera
from scorer.blocks.world import standing_box
from scorer.contract import TruthObject
from scorer.detectors.port import Detection
from scorer.geometry import FloatArray
from scorer.operations.evidence import Change, Pose
from scorer.operations.matching import find_origins, match_edited

CAMERA = Camera.of(intrinsics=[[560, 0, 256], [0, 560, 192], [0, 0, 1]], pitch=0.55, height=0.6)
IMAGE_SIZE: FloatArray = np.array([512.0, 384.0])


@dataclass(frozen=True)
class Block:
    label: str
    x: float
    z: float
    yaw: float
    size: tuple[float, float, float]

    @property
    def pose(self) -> Pose:
        return Pose(*standing_box(camera=CAMERA, x=self.x, z=self.z, yaw=self.yaw, size=self.size))

    @property
    def truth(self) -> TruthObject:
        box, rotation = self.pose
        return TruthObject(label=self.label, bbox_3d=box.tolist(), rotation_matrix=rotation.tolist())

    @property
    def seen(self) -> Detection:
        box, rotation = self.pose
        return Detection(self.label, box, np.array([0.0, 0.0, 10.0, 10.0]), rotation, 1.0)


def noisy(found: Detection, rng: np.random.Generator, *, metres: float, degrees: float, size: float) -> Detection:
    box = found.bbox_3d.copy()
    box[:3] += rng.normal(0, metres, 3)
    box[3:6] *= np.exp(rng.normal(0, size, 3))
    a = np.deg2rad(rng.normal(0, degrees))
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    return Detection(found.label, box, found.bbox_2d, found.rotation_matrix @ turn, found.score)


@st.composite
def layouts(draw: st.DrawFn, *, largest: int = 5) -> list[Block]:
    """Blocks that keep their distance; labels repeat. The first is the target."""
    places = draw(st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2)), min_size=1, max_size=largest, unique=True))
    return [
        Block(
            label=draw(st.sampled_from(["red block", "blue block"])),
            x=0.25 * column,
            z=0.7 + 0.25 * row,
            yaw=draw(st.floats(-3.1, 3.1)),
            size=(draw(st.floats(0.05, 0.07)), draw(st.floats(0.05, 0.1)), draw(st.floats(0.08, 0.12))),
        )
        for column, row in places
    ]


def change_of(
    before: list[Block], after: list[Detection], *, goal: Pose | None, seen: list[Detection] | None = None
) -> Change:
    """The first block is the target; ``seen``: the detections on the original, perfect unless given."""
    origins = find_origins(
        [block.truth for block in before],
        [block.seen for block in before] if seen is None else seen,
        intrinsics=CAMERA.intrinsics,
        image_size=IMAGE_SIZE,
    )
    return match_edited(origins, after, target=0, goal=goal)
