"""Draws scenes that keep the benchmark's guarantees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from infra.blocks.scene import HEIGHT, WIDTH, Block, Kind, Scene, is_valid
from scorer.blocks.camera import Camera
from scorer.blocks.world import COLOURS, ROOM_CATEGORIES

_TRIES = 4000


@dataclass(frozen=True)
class _Bounds:
    """Ranges of one kind of scene; metres, degrees, pixels."""

    focal: tuple[float, float]
    pitch: tuple[float, float]
    height: tuple[float, float]
    depth: tuple[float, float]
    sideways: float
    side: tuple[float, float]
    tall: tuple[float, float]


_BOUNDS: dict[Kind, _Bounds] = {
    "tabletop": _Bounds((520, 600), (30, 38), (0.52, 0.68), (0.62, 1.15), 0.36, (0.055, 0.13), (0.05, 0.11)),
    "room": _Bounds((440, 500), (25, 31), (2.0, 2.5), (2.6, 4.7), 1.75, (0.4, 1.05), (0.35, 0.9)),
}


def sample_scene(rng: np.random.Generator, *, name: str, kind: Kind, count: int, twins: int) -> Scene:
    """A valid scene with ``count`` blocks, of which ``twins`` share their label with another one.

    Raises RuntimeError when none is found, which does not happen for sensible counts.
    """
    for _ in range(50):
        scene = _grown(rng, name=name, kind=kind, labels=_labels(rng, kind=kind, count=count, twins=twins))
        if scene is not None:
            return scene
    raise RuntimeError(f"no valid {kind} scene with {count} blocks")


def _labels(rng: np.random.Generator, *, kind: Kind, count: int, twins: int) -> list[tuple[str, str]]:
    """(colour, category) of every block; one colour has one category throughout a scene."""
    colours = [str(c) for c in rng.permutation(list(COLOURS))[: count - twins]]
    categories = (
        ["block"] * len(colours) if kind == "tabletop" else [str(c) for c in rng.choice(ROOM_CATEGORIES, len(colours))]
    )
    labels = list(zip(colours, categories, strict=True))
    return labels + labels[:twins]


def _grown(rng: np.random.Generator, *, name: str, kind: Kind, labels: list[tuple[str, str]]) -> Scene | None:
    bounds = _BOUNDS[kind]
    focal = rng.uniform(*bounds.focal)
    camera = Camera.of(
        intrinsics=[[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]],
        pitch=float(np.radians(rng.uniform(*bounds.pitch))),
        height=float(rng.uniform(*bounds.height)),
    )
    scene = Scene(name=name, kind=kind, camera=camera, blocks=(), look=int(rng.integers(2**31)))
    for _ in range(_TRIES):
        if len(scene.blocks) == len(labels):
            return scene
        block = _block(rng, bounds, *labels[len(scene.blocks)])
        if block is not None and is_valid(grown := replace(scene, blocks=(*scene.blocks, block))):
            scene = grown
    return None


def _block(rng: np.random.Generator, bounds: _Bounds, colour: str, category: str) -> Block | None:
    w, length = (round(float(v), 3) for v in rng.uniform(*bounds.side, 2))
    if 0.88 < w / length < 1 / 0.88:  # too near a square to tell its sides apart
        return None
    return Block(
        colour=colour,
        category=category,
        x=round(float(rng.uniform(-bounds.sideways, bounds.sideways)), 3),
        z=round(float(rng.uniform(*bounds.depth)), 3),
        yaw=float(rng.uniform(-np.pi, np.pi)),
        size=(w, round(float(rng.uniform(*bounds.tall)), 3), length),
    )
