"""Scenes of Blocks as values: cuboids standing on the ground, seen by a camera that may have been moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from scorer.blocks.camera import Camera, FloatArray
from scorer.blocks.world import CORNER_SIGNS, PlacedBox, standing_box, yaw_matrix

Kind = Literal["tabletop", "room"]
WIDTH, HEIGHT = 512, 384

BORDER_PIXELS = 8
GAP_PIXELS = 6
SHORTEST_PIXELS = 28
_FLOOR_GAP = {"tabletop": 0.01, "room": 0.06}


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
    blocks = scene.seen()
    if any(_overlap(a, b, gap=_FLOOR_GAP[scene.kind]) for i, a in enumerate(blocks) for b in blocks[:i]):
        return False
    taken = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    kernel = np.ones((2 * GAP_PIXELS + 1,) * 2, dtype=np.uint8)
    for block in blocks:
        mask = _silhouette(scene.camera, block)
        if mask is None or np.logical_and(cv2.dilate(mask, kernel), taken).any():
            return False
        taken |= mask
    return True


def projected_corners(camera: Camera, block: Block) -> FloatArray:
    """Pixels (8, 2) of a block's corners; NaN behind the camera."""
    corners = CORNER_SIGNS * block.size @ yaw_matrix(block.yaw).T + (
        block.x,
        camera.height - block.size[1] / 2,
        block.z,
    )
    return camera.project(camera.to_camera(corners))


def _silhouette(camera: Camera, block: Block) -> npt.NDArray[np.uint8] | None:
    """The block's silhouette (H, W), or None where it leaves the image, is too small or hides its top."""
    if block.size[1] >= 0.85 * camera.height:
        return None
    pixels = projected_corners(camera, block)
    if not np.isfinite(pixels).all():
        return None
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    if low.min() < BORDER_PIXELS or high[0] > WIDTH - BORDER_PIXELS or high[1] > HEIGHT - BORDER_PIXELS:
        return None
    if (high - low).max() < SHORTEST_PIXELS:
        return None
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(pixels).astype(np.int32)), 1)
    return mask


def _overlap(a: Block, b: Block, *, gap: float) -> bool:
    """Whether two floor rectangles come nearer than ``gap`` metres (separating axes)."""
    first, second = a.footprint(), b.footprint()
    for axis in (*_axes(first), *_axes(second)):
        one, other = first @ axis, second @ axis
        if one.max() + gap < other.min() or other.max() + gap < one.min():
            return False
    return True


def _axes(corners: FloatArray) -> Sequence[FloatArray]:
    edges = np.roll(corners, -1, axis=0)[:2] - corners[:2]
    return [edge / np.linalg.norm(edge) for edge in edges]
