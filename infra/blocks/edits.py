"""Edits: what an instruction asks for, exactly, and the same edit done imperfectly or to the wrong object."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Protocol

import numpy as np

from infra.blocks.scene import Block, Scene
from scorer.blocks.world import CLOCKWISE_YAW_SIGN

Direction = Literal["left", "right", "closer", "away"]
_STEP: dict[Direction, tuple[float, float]] = {"left": (-1, 0), "right": (1, 0), "closer": (0, -1), "away": (0, 1)}


@dataclass(frozen=True)
class Slip:
    """How an imperfect editor errs: it does ``share`` of what was asked, and strays by ``stray`` of it sideways."""

    share: float = 1.0
    stray: float = 0.0


EXACT = Slip()
_CLEAR = 0.08
"""By how much positions must differ for words such as leftmost or nearest to be beyond doubt."""


class Edit(Protocol):
    """One change of a scene. ``target`` is the index of the block that it concerns (None: the camera)."""

    @property
    def target(self) -> int | None:
        """Which block."""

    def apply(self, scene: Scene, slip: Slip = EXACT) -> Scene:
        """The scene afterwards."""

    def aimed_at(self, index: int) -> Edit:
        """The same change of another block."""


@dataclass(frozen=True)
class Move:
    """Move a block by (dx, dz) metres in the level frame; also what `place` comes to."""

    target: int
    dx: float
    dz: float

    def apply(self, scene: Scene, slip: Slip = EXACT) -> Scene:
        """See `Edit.apply`."""
        block = scene.blocks[self.target]
        x = block.x + slip.share * self.dx - slip.stray * self.dz
        z = block.z + slip.share * self.dz + slip.stray * self.dx
        return scene.with_block(self.target, replace(block, x=x, z=z))

    def aimed_at(self, index: int) -> Move:
        """See `Edit.aimed_at`."""
        return replace(self, target=index)


@dataclass(frozen=True)
class Rotate:
    """Turn a block where it stands by an angle in radians, positive clockwise seen from above."""

    target: int
    clockwise: float

    def apply(self, scene: Scene, slip: Slip = EXACT) -> Scene:
        """See `Edit.apply`; straying moves the block by a fifth of its width at most."""
        block = scene.blocks[self.target]
        yaw = block.yaw + CLOCKWISE_YAW_SIGN * self.clockwise * slip.share
        return scene.with_block(self.target, replace(block, yaw=yaw, x=block.x + slip.stray * 0.2 * block.size[0]))

    def aimed_at(self, index: int) -> Rotate:
        """See `Edit.aimed_at`."""
        return replace(self, target=index)


@dataclass(frozen=True)
class Scale:
    """Make a block ``factor`` times as large; it stays on the ground."""

    target: int
    factor: float

    def apply(self, scene: Scene, slip: Slip = EXACT) -> Scene:
        """See `Edit.apply`; the share is of the factor's logarithm."""
        block = scene.blocks[self.target]
        return scene.with_block(self.target, block.scaled(float(self.factor**slip.share)))

    def aimed_at(self, index: int) -> Scale:
        """See `Edit.aimed_at`."""
        return replace(self, target=index)


@dataclass(frozen=True)
class Remove:
    """Take a block away; a share under 0.8 leaves it where it is."""

    target: int

    def apply(self, scene: Scene, slip: Slip = EXACT) -> Scene:
        """See `Edit.apply`."""
        return scene.with_block(self.target, None) if slip.share >= 0.8 else scene

    def aimed_at(self, index: int) -> Remove:
        """See `Edit.aimed_at`."""
        return replace(self, target=index)


@dataclass(frozen=True)
class View:
    """Move the camera by (dx, dz) metres and turn it by ``pan`` radians to the right; height and pitch stay."""

    dx: float = 0.0
    dz: float = 0.0
    pan: float = 0.0
    target: None = None

    def apply(self, scene: Scene, slip: Slip = EXACT) -> Scene:
        """See `Edit.apply`."""
        pose = scene.pose
        moved = replace(
            pose,
            x=pose.x + slip.share * self.dx - slip.stray * self.dz,
            z=pose.z + slip.share * self.dz + slip.stray * self.dx,
            pan=pose.pan + slip.share * self.pan,
        )
        return replace(scene, pose=moved)

    def aimed_at(self, index: int) -> Move:
        """The wrong object for a camera: a block goes where the camera should have gone, as far as it would seem to."""
        return Move(index, self.dx or float(np.sin(self.pan)), self.dz)


def step(direction: Direction, metres: float) -> tuple[float, float]:
    """(dx, dz) of a step in a named direction; closer and away are along the level viewing direction."""
    x, z = _STEP[direction]
    return x * metres, z * metres


def names(blocks: tuple[Block, ...], index: int) -> list[str]:
    """All ways to name one block so that nobody can take it for another ("leftmost red block"); maybe none."""
    label = blocks[index].label
    here = _bearing(blocks[index])
    others = [_bearing(block) for i, block in enumerate(blocks) if block.label == label and i != index]
    if not others:
        return [label]
    left = sum(other.sideways < here.sideways - _CLEAR for other in others)
    right = sum(other.sideways > here.sideways + _CLEAR for other in others)
    words = {
        "leftmost": right == len(others),
        "rightmost": left == len(others),
        "middle": left == right == 1 and len(others) == 2,
        "nearest": all(here.distance * (1 + _CLEAR) < other.distance for other in others),
        "farthest": all(here.distance > other.distance * (1 + _CLEAR) for other in others),
    }
    return [f"{word} {label}" for word, fits in words.items() if fits]


class _Bearing(NamedTuple):
    """Where the camera sees a block: sideways as a share of its depth, and metres away."""

    sideways: float
    distance: float


def _bearing(block: Block) -> _Bearing:
    return _Bearing(block.x / block.z, float(np.hypot(block.x, block.z)))
