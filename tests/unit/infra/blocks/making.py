"""Scenes for tests."""

from __future__ import annotations

import numpy as np

from infra.blocks.scene import Block, Scene
from scorer.blocks.camera import Camera

CAMERA = Camera.of(intrinsics=[[560, 0, 256], [0, 560, 192], [0, 0, 1]], pitch=float(np.radians(34)), height=0.6)


def block(
    x: float = 0.0,
    z: float = 0.85,
    *,
    colour: str = "red",
    yaw: float = 0.3,
    size: tuple[float, float, float] = (0.1, 0.07, 0.07),
) -> Block:
    """A block on the table."""
    return Block(colour=colour, category="block", x=x, z=z, yaw=yaw, size=size)


def scene(*blocks: Block, look: int = 3) -> Scene:
    """A tabletop scene."""
    return Scene(name="tabletop-01", kind="tabletop", camera=CAMERA, blocks=blocks, look=look)
