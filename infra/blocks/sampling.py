"""Draws scenes that keep the benchmark's guarantees."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from infra.blocks.scene import HEIGHT, WIDTH, Block, Kind, Scene, is_valid
from scorer.blocks.camera import Camera
from scorer.blocks.world import COLOURS, ROOM_CATEGORIES

_STARTS = 400
_TRIES = 200


@dataclass(frozen=True)
class _Bounds:
    """Ranges of one kind of scene; metres, degrees, pixels."""

    focal: tuple[float, float]
    pitch: tuple[float, float]
    height: tuple[float, float]
    depth: tuple[float, float]
    side: tuple[float, float]
    tall: tuple[float, float]


_BOUNDS: dict[Kind, _Bounds] = {
    "tabletop": _Bounds((520, 600), (30, 38), (0.52, 0.68), (0.45, 1.15), (0.055, 0.13), (0.05, 0.11)),
    "room": _Bounds((440, 500), (25, 31), (2.0, 2.5), (2.4, 5.0), (0.38, 0.95), (0.35, 0.85)),
}


def sample_scene(rng: np.random.Generator, *, name: str, kind: Kind, count: int, twins: int) -> Scene:
    """A valid scene with ``count`` blocks; ``twins`` says how many of them repeat another one's label.

    Raises RuntimeError when none is found, which does not happen for sensible counts.
    """
    for _ in range(_STARTS):
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
    repeated = labels[:1] * twins if rng.random() < 0.5 else labels[:twins]  # three of a kind, or pairs
    return labels + repeated


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
        block = _block(rng, camera, bounds, *labels[len(scene.blocks)])
        alone = None if block is None else replace(scene, blocks=(block,))
        if alone is not None and is_valid(alone):
            grown = replace(scene, blocks=(*scene.blocks, *alone.blocks))
            scene = grown if is_valid(grown) else scene
    return None


def _block(rng: np.random.Generator, camera: Camera, bounds: _Bounds, colour: str, category: str) -> Block | None:
    """A block anywhere in the image, not in the world: so the picture is filled evenly and few draws are in vain."""
    x, _, z = camera.on_plane(rng.uniform((0, 0), (WIDTH, HEIGHT)))
    w, tall, length = rng.uniform(*np.transpose([bounds.side, bounds.tall, bounds.side])).round(3)
    too_square = 0.88 < w / length < 1 / 0.88
    if too_square or not bounds.depth[0] <= z <= bounds.depth[1]:
        return None
    return Block(
        colour=colour,
        category=category,
        x=round(float(x), 3),
        z=round(float(z), 3),
        yaw=float(rng.uniform(-np.pi, np.pi)),
        size=(float(w), float(tall), float(length)),
    )
