"""Textures of tables and floors: wood, tiles, stone, fabric; pale and of low saturation, drawn from a generator."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.float32]
SIZE = 1024
"""Height and width of every texture; its left edge continues its right one, its top its bottom."""


def boards(rng: np.random.Generator, *, rows: int, shade: float, gap: float) -> Pixels:
    """Pale wooden boards along the width, ``rows`` of them, with grain, joints and lines between of depth ``gap``."""
    grey = np.full((SIZE, SIZE), shade, dtype=np.float32)
    side = SIZE // rows
    for row in range(rows):
        part = slice(row * side, (row + 1) * side)
        grain = 9 * _noise(rng, rows=32, columns=2)[:side] + 4 * _noise(rng, rows=128, columns=4)[:side]
        joint, cut = int(rng.integers(SIZE)), int(rng.uniform(0.35, 0.65) * SIZE)
        tone = np.where(np.arange(SIZE) < cut, rng.uniform(-8, 8), rng.uniform(-8, 8)).astype(np.float32)
        tone[[0, cut]] -= gap
        grey[part] += grain + np.roll(tone, joint)
        grey[row * side : row * side + 2] -= gap
    return _coloured(grey, warmth=float(rng.uniform(0.07, 0.1)))


def tiles(rng: np.random.Generator, *, rows: int, shade: float) -> Pixels:
    """Stone tiles, ``rows`` by ``rows``, with darker joints."""
    grey = shade + 6 * _noise(rng, rows=8, columns=8) + 2 * _noise(rng, rows=64, columns=64)
    side = SIZE // rows
    for row in range(rows):
        for column in range(rows):
            grey[row * side : (row + 1) * side, column * side : (column + 1) * side] += rng.uniform(-5, 5)
    for line in range(0, rows * side, side):
        grey[line : line + 5] = grey[:, line : line + 5] = shade - 48
    return _coloured(grey, warmth=float(rng.uniform(0.0, 0.03)))


def stone(rng: np.random.Generator, *, shade: float) -> Pixels:
    """Honed stone: soft clouds, fine grain and a few pale veins."""
    clouds = _noise(rng, rows=4, columns=4)
    veins = np.exp(-np.square(_noise(rng, rows=4, columns=4) / 0.03))
    grey = shade + 7 * clouds + 9 * veins * (0.5 + 0.5 * clouds) + 2.5 * _noise(rng, rows=256, columns=256)
    return _coloured(grey, warmth=float(rng.uniform(-0.015, 0.03)))


def fabric(rng: np.random.Generator, *, shade: float) -> Pixels:
    """A plain weave: fine threads across each other, slightly uneven."""
    threads = np.arange(SIZE, dtype=np.float32) * (2 * np.pi * 128 / SIZE)
    weave = 3 * (np.sin(threads)[:, None] + np.sin(threads)[None, :])
    grey = shade + weave + 4 * _noise(rng, rows=8, columns=8) + 3 * _noise(rng, rows=256, columns=256)
    return _coloured(grey, warmth=float(rng.uniform(-0.01, 0.04)))


def _noise(rng: np.random.Generator, *, rows: int, columns: int) -> Grey:
    """Smooth noise in about -1..1, (SIZE, SIZE), that tiles: four octaves from rows x columns (powers of 2) cells."""
    total = np.zeros((SIZE, SIZE), dtype=np.float32)
    for octave in range(4):
        shape = (min(rows * 2**octave, SIZE), min(columns * 2**octave, SIZE))
        cells = np.pad(rng.normal(size=shape).astype(np.float32), 2, mode="wrap")
        zoom = (SIZE // shape[0], SIZE // shape[1])
        large = cv2.resize(cells, (cells.shape[1] * zoom[1], cells.shape[0] * zoom[0]), interpolation=cv2.INTER_CUBIC)
        total += large[2 * zoom[0] :, 2 * zoom[1] :][:SIZE, :SIZE] / 2**octave
    return np.asarray(total / (2.5 * total.std()), dtype=np.float32)


def _coloured(grey: npt.NDArray[np.floating[Any]], *, warmth: float) -> Pixels:
    channels = np.stack([grey * (1 + warmth), grey, grey * (1 - warmth)], axis=-1)
    return np.clip(np.round(channels), 0, 255).astype(np.uint8)
