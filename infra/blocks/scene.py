"""Scenes of Blocks as values: cuboids standing on the ground, seen by a camera that may have been moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, NamedTuple

import cv2
import numpy as np

from scorer.blocks.camera import Camera, FloatArray
from scorer.blocks.world import CORNER_SIGNS, PlacedBox, standing_box, yaw_matrix

Kind = Literal["tabletop", "room"]
WIDTH, HEIGHT = 512, 384

BORDER_PIXELS = 8
GAP_PIXELS = 6
SHORTEST_PIXELS = 28
_TALLEST = 0.85
FLOOR_GAP = MappingProxyType({"tabletop": 0.01, "room": 0.06})
"""Metres between any two blocks on the ground."""
REACH = MappingProxyType({"tabletop": 1.5, "room": 6.4})
"""How far from the camera's first place (metres forward) blocks may stand: short of everything at the back."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A cuboid on the ground: centre (x, z) and yaw in the scene's level frame, size (w, h, l); metres, radians."""

    colour: str
    category: str
    x: float
    z: float
    yaw: float
    size: tuple[float, float, float]

    @property
    def label(self) -> str:
        """Colour and category, as instructions name it."""
        return f"{self.colour} {self.category}"

    def footprint(self) -> FloatArray:
        """The corners (4, 2) of its floor rectangle, (x, z)."""
        w, _, length = self.size
        corners = np.array([[-w, -length], [w, -length], [w, length], [-w, length]]) / 2
        turned = np.column_stack([corners[:, 0], np.zeros(4), corners[:, 1]]) @ yaw_matrix(self.yaw).T
        return np.asarray(turned[:, [0, 2]] + (self.x, self.z))

    def scaled(self, factor: float) -> Block:
        """The same block, ``factor`` times as large, still on the ground."""
        w, h, length = (factor * side for side in self.size)
        return replace(self, size=(w, h, length))


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where the camera has gone from its first place: metres right and forward, radians turned to the right."""

    x: float = 0.0
    z: float = 0.0
    pan: float = 0.0

    def sees(self, block: Block) -> Block:
        """``block`` in the level frame of the moved camera."""
        turn = yaw_matrix(-self.pan)
        x, _, z = turn @ np.array([block.x - self.x, 0.0, block.z - self.z])
        return replace(block, x=float(x), z=float(z), yaw=block.yaw - self.pan)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Blocks before a camera; ``look`` seeds all that is only decoration (textures, walls, light)."""

    name: str
    kind: Kind
    camera: Camera
    blocks: tuple[Block, ...]
    look: int
    pose: Pose = Pose()

    def seen(self) -> tuple[Block, ...]:
        """The blocks in the level frame of the camera where it is now."""
        return tuple(self.pose.sees(block) for block in self.blocks)

    def boxes(self) -> list[PlacedBox]:
        """The boxes of all blocks in the camera frame."""
        return [standing_box(camera=self.camera, x=b.x, z=b.z, yaw=b.yaw, size=b.size) for b in self.seen()]

    def with_block(self, index: int, block: Block | None) -> Scene:
        """The scene with one block replaced, or taken away (None)."""
        kept = [b if i != index else block for i, b in enumerate(self.blocks)]
        return replace(self, blocks=tuple(b for b in kept if b is not None))


def is_valid(scene: Scene) -> bool:
    """Whether the benchmark's guarantees hold: blocks apart on the ground, whole and apart in the image, tops seen."""
    if any(block.footprint()[:, 1].max() > REACH[scene.kind] for block in scene.blocks):
        return False
    seen = [_See(block, block.footprint(), projected_corners(scene.camera, block)) for block in scene.seen()]
    return all(_is_whole(scene.camera, block, corners) for block, _, corners in seen) and all(
        apart(one.footprint, other.footprint) >= FLOOR_GAP[scene.kind]
        and apart(one.corners, other.corners) >= GAP_PIXELS
        for number, one in enumerate(seen)
        for other in seen[:number]
    )


class _See(NamedTuple):
    """A block with its floor rectangle (4, 2) and its corners in the image (8, 2)."""

    block: Block
    footprint: FloatArray
    corners: FloatArray


def apart(one: FloatArray, other: FloatArray) -> float:
    """The distance between the convex hulls of two point sets (n, 2) and (m, 2); negative where they overlap.

    Two convex sets are as far apart as the origin is from their Minkowski difference.
    """
    differences = (one[:, None] - other[None]).reshape(-1, 2).astype(np.float32)
    return -float(cv2.pointPolygonTest(cv2.convexHull(differences), (0.0, 0.0), True))


def projected_corners(camera: Camera, block: Block) -> FloatArray:
    """Pixels (8, 2) of a block's corners; NaN behind the camera."""
    corners = CORNER_SIGNS * block.size @ yaw_matrix(block.yaw).T + (
        block.x,
        camera.height - block.size[1] / 2,
        block.z,
    )
    return camera.project(camera.to_camera(corners))


def _is_whole(camera: Camera, block: Block, pixels: FloatArray) -> bool:
    """Whether a block with these corners in the image is seen whole, from above, and large enough."""
    if block.size[1] >= _TALLEST * camera.height or not np.isfinite(pixels).all():
        return False
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    inside = low.min() >= BORDER_PIXELS and high[0] <= WIDTH - BORDER_PIXELS and high[1] <= HEIGHT - BORDER_PIXELS
    return bool(inside and (high - low).max() >= SHORTEST_PIXELS)
