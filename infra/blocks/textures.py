"""How a scene looks around its blocks: grounds, walls and light, all of low saturation, drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
_SIZE = 512


@dataclass(frozen=True)
class Look:
    """Ground texture (with the metres that it spans in a room), sRGB colours 0..255, radiances, places in metres."""

    ground: Pixels
    ground_metres: float
    wall: tuple[float, float, float]
    skirting: tuple[float, float, float]
    ambient: list[float]
    lamp: list[float]
    lamp_x: float
    wall_distance: float
    side_wall: float | None


def look_of(seed: int, kind: str) -> Look:
    """The look that belongs to a seed."""
    rng = np.random.default_rng(seed)
    ground = (_planks, _tiles, _stone)[int(rng.integers(3))](rng)
    shade = rng.uniform(196, 226)
    warm = rng.uniform(-4, 8)
    ambient = rng.uniform(0.42, 0.48)
    lamp = rng.uniform(10.5, 13.0)
    return Look(
        ground=ground,
        ground_metres=2.0,
        wall=(shade + warm, shade, shade - warm),
        skirting=(236, 236, 234),
        ambient=[ambient, ambient, ambient * 1.03],
        lamp=[lamp, lamp * 0.98, lamp * 0.94],
        lamp_x=float(rng.choice([-2.6, -1.8, 1.8, 2.6])),
        wall_distance=float(rng.uniform(6.2, 7.0)) if kind == "room" else float(rng.uniform(1.75, 2.1)),
        side_wall=float(rng.choice([-4.2, 4.2])) if kind == "room" and rng.random() < 0.6 else None,
    )


def _noise(rng: np.random.Generator, stretch: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Smooth noise in -1..1, (512, 512), with features stretched along (rows, columns); it tiles."""
    total = np.zeros((_SIZE, _SIZE), dtype=np.float32)
    for octave in range(4):
        cells = (max(2, 4 * 2**octave // stretch[0]), max(2, 4 * 2**octave // stretch[1]))
        grid = rng.normal(size=cells).astype(np.float32)
        padded = np.pad(grid, 2, mode="wrap")
        scale = (_SIZE // cells[0], _SIZE // cells[1])
        large = cv2.resize(
            padded, (padded.shape[1] * scale[1], padded.shape[0] * scale[0]), interpolation=cv2.INTER_CUBIC
        )
        total += large[2 * scale[0] :, 2 * scale[1] :][:_SIZE, :_SIZE] / 2**octave
    return np.asarray(total / np.abs(total).max(), dtype=np.float32)


def _coloured(grey: npt.NDArray[np.floating[Any]], *, warmth: float) -> Pixels:
    channels = np.stack([grey * (1 + warmth), grey, grey * (1 - warmth)], axis=-1)
    return np.clip(np.round(channels), 0, 255).astype(np.uint8)


def _planks(rng: np.random.Generator) -> Pixels:
    """Pale wood in eight boards."""
    grey = 172 + 9 * _noise(rng, (1, 8))
    rows = _SIZE // 8
    for board in range(8):
        part = slice(board * rows, (board + 1) * rows)
        grey[part] = np.roll(grey[part], int(rng.integers(_SIZE)), axis=1) + rng.uniform(-9, 9)
        grey[board * rows : board * rows + 2] -= 38
        joint = int(rng.integers(_SIZE - 2))
        grey[part, joint : joint + 2] -= 30
    return _coloured(grey, warmth=0.075)


def _tiles(rng: np.random.Generator) -> Pixels:
    """Stone tiles, four by four, with joints."""
    grey = 178 + 6 * _noise(rng, (1, 1))
    side = _SIZE // 4
    for row in range(4):
        for column in range(4):
            grey[row * side : (row + 1) * side, column * side : (column + 1) * side] += rng.uniform(-7, 7)
    for line in range(0, _SIZE, side):
        grey[line : line + 3] = grey[:, line : line + 3] = 138
    return _coloured(grey, warmth=float(rng.uniform(0.0, 0.03)))


def _stone(rng: np.random.Generator) -> Pixels:
    """Honed stone: soft clouds and fine grain."""
    grey = 168 + 12 * _noise(rng, (1, 1)) + rng.normal(0, 2.5, (_SIZE, _SIZE))
    return _coloured(grey, warmth=float(rng.uniform(-0.02, 0.04)))
