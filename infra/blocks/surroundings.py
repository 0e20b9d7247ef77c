"""What is around the blocks: a table or a floor, walls, light and a few grey things at the back.

All of it has low saturation, lies outside the reach of blocks and is drawn from the scene's ``look`` alone, so that
every edit of a scene shows the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from infra.blocks import textures
from infra.blocks.scene import REACH, Kind
from infra.blocks.textures import Pixels

Shape = Literal["box", "cylinder"]
Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A grey thing; ``centre`` from the ground under the camera (x right, y down, z forward), ``grey`` in sRGB."""

    shape: Shape
    centre: Vector
    size: Vector
    grey: float
    warmth: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Surroundings:
    """A place. Lengths in metres from the ground under the camera; radiances are those of a white surface in the light.

    ``ground_depth``: where the ground ends (a table's far edge, or the wall). ``ground_metres``: a texture's span.
    ``to_sun``: unit vector towards the sun. ``sun``, ``sky``: linear RGB.
    """

    ground: Pixels
    ground_metres: float
    ground_depth: float
    things: tuple[Thing, ...]
    to_sun: Vector
    sun_radius: float
    sun: Vector
    sky: Vector


@lru_cache(maxsize=4)  # edits of one scene are rendered one after the other
def surroundings_of(look: int, kind: Kind) -> Surroundings:
    """The place that belongs to a scene's look."""
    rng = np.random.default_rng(look)
    return _room(rng) if kind == "room" else _tabletop(rng)


def _room(rng: np.random.Generator) -> Surroundings:
    wall, side = REACH["room"] + float(rng.uniform(0.5, 1.1)), float(rng.choice([-1.0, 1.0]))
    grounds: tuple[Callable[[], Pixels], ...] = (
        lambda: textures.boards(rng, rows=16, shade=186, gap=34),
        lambda: textures.tiles(rng, rows=4, shade=190),
        lambda: textures.stone(rng, shade=176),
        lambda: textures.fabric(rng, shade=178),
    )
    ground = grounds[int(rng.integers(len(grounds)))]()
    things = (*_walls(rng, wall=wall, floor=0.0), *_furniture(rng, wall=wall, side=side))
    sun, sky = _light(rng)
    return Surroundings(
        ground=ground,
        ground_metres=2.4,
        ground_depth=wall,
        things=things,
        to_sun=_to_sun(rng),
        sun_radius=0.11,
        sun=sun,
        sky=sky,
    )


def _tabletop(rng: np.random.Generator) -> Surroundings:
    edge = REACH["tabletop"] + float(rng.uniform(0.2, 0.35))
    grounds: tuple[Callable[[], Pixels], ...] = (
        lambda: textures.boards(rng, rows=8, shade=190, gap=14),
        lambda: textures.stone(rng, shade=200),
        lambda: textures.fabric(rng, shade=190),
        lambda: textures.boards(rng, rows=4, shade=180, gap=20),
    )
    ground = grounds[int(rng.integers(len(grounds)))]()
    things = (*_walls(rng, wall=edge + float(rng.uniform(0.9, 1.3)), floor=0.74), *_table_things(rng, edge))
    sun, sky = _light(rng)
    return Surroundings(
        ground=ground,
        ground_metres=0.8,
        ground_depth=edge,
        things=things,
        to_sun=_to_sun(rng),
        sun_radius=0.13,
        sun=sun,
        sky=sky,
    )


def _to_sun(rng: np.random.Generator) -> Vector:
    """From behind the camera, left or right, high enough for short shadows."""
    azimuth = np.radians(rng.uniform(35, 65)) * rng.choice([-1.0, 1.0])
    elevation = np.radians(rng.uniform(50, 60))
    level = float(np.cos(elevation))
    return (level * float(np.sin(azimuth)), -float(np.sin(elevation)), -level * float(np.cos(azimuth)))


def _light(rng: np.random.Generator) -> tuple[Vector, Vector]:
    """Sun and sky: together a level white surface is just not white, in shadow it keeps more than a third."""
    sun, sky = float(rng.uniform(0.66, 0.72)), float(rng.uniform(0.4, 0.44))
    return (sun * 1.02, sun, sun * 0.95), (sky * 0.98, sky, sky * 1.04)


def _walls(rng: np.random.Generator, *, wall: float, floor: float) -> tuple[Thing, ...]:
    """The back wall with its skirting and, below a table, the floor."""
    shade, warmth = float(rng.uniform(206, 228)), float(rng.uniform(-0.015, 0.03))
    parts = [
        Thing(shape="box", centre=(0, floor - 2, wall + 0.1), size=(40, 5, 0.2), grey=shade, warmth=warmth),
        Thing(shape="box", centre=(0, floor - 0.05, wall - 0.01), size=(40, 0.1, 0.02), grey=238),
    ]
    if floor > 0:
        parts.append(Thing(shape="box", centre=(0, floor + 0.05, 0), size=(40, 0.1, 40), grey=150, warmth=0.04))
    return tuple(parts)


def _furniture(rng: np.random.Generator, *, wall: float, side: float) -> tuple[Thing, ...]:
    """Along the back wall: a plant pot or a sideboard and a picture, out of the reach of every block."""
    near, x = wall - 0.26, side * float(rng.uniform(1.5, 2.6))
    pictures = _picture(x=-side * float(rng.uniform(0.2, 1.8)), top=1.5, wall=wall, wide=float(rng.uniform(0.6, 1.1)))
    if rng.random() < 0.5:
        board = Thing(shape="box", centre=(x, -0.36, near + 0.02), size=(1.5, 0.72, 0.42), grey=204, warmth=0.03)
        vase = Thing(shape="cylinder", centre=(x - 0.4, -0.86, near), size=(0.16, 0.28, 0.16), grey=120)
        books = Thing(shape="box", centre=(x + 0.35, -0.76, near), size=(0.34, 0.08, 0.24), grey=150)
        return (board, vase, books, *pictures)
    pole = Thing(shape="cylinder", centre=(x, -0.75, near), size=(0.035, 1.5, 0.035), grey=90)
    foot = Thing(shape="cylinder", centre=(x, -0.015, near), size=(0.3, 0.03, 0.3), grey=90)
    shade = Thing(shape="cylinder", centre=(x, -1.6, near), size=(0.4, 0.34, 0.4), grey=232, warmth=0.03)
    return (pole, foot, shade, *pictures)


def _picture(*, x: float, top: float, wall: float, wide: float) -> tuple[Thing, ...]:
    frame = Thing(shape="box", centre=(x, -top, wall - 0.015), size=(wide, 0.7, 0.03), grey=96)
    sheet = Thing(shape="box", centre=(x, -top, wall - 0.028), size=(wide - 0.08, 0.62, 0.012), grey=220)
    return (frame, sheet)


def _table_things(rng: np.random.Generator, edge: float) -> tuple[Thing, ...]:
    """A cup or books near the table's far edge."""
    x, z = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.25, 0.5)), edge - 0.12
    if rng.random() < 0.5:
        cup = Thing(shape="cylinder", centre=(x, -0.045, z), size=(0.08, 0.09, 0.08), grey=218)
        saucer = Thing(shape="cylinder", centre=(x, -0.004, z), size=(0.14, 0.008, 0.14), grey=212)
        return (cup, saucer)
    lower = Thing(shape="box", centre=(x, -0.012, z), size=(0.26, 0.024, 0.17), grey=128)
    upper = Thing(shape="box", centre=(x + 0.01, -0.034, z), size=(0.22, 0.02, 0.15), grey=186, warmth=0.02)
    return (lower, upper)
