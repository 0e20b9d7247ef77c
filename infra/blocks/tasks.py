"""Draws instructions for a scene: the words, the exact edit, and imperfect and misdirected versions of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from infra.blocks.edits import EXACT, Direction, Edit, Move, Remove, Rotate, Scale, Slip, View, names, step
from infra.blocks.scene import Kind, Scene, is_valid
from scorer.contract import Difficulty, Operation

_TRIES = 120
_PLACE_WORDS: dict[Direction, str] = {
    "left": "to the left of",
    "right": "to the right of",
    "closer": "in front of",
    "away": "behind",
}
_MOVE_WORDS: dict[Direction, str] = {
    "left": "to the left",
    "right": "to the right",
    "closer": "closer to the camera",
    "away": "away from the camera",
}
_VIEW_WORDS: dict[Direction, str] = {
    "left": "to the left",
    "right": "to the right",
    "closer": "backward",
    "away": "forward",
}
_CENTIMETRES: dict[Kind, dict[Difficulty, tuple[int, ...]]] = {
    "tabletop": {"easy": (15, 20), "medium": (10, 15), "hard": (5, 8)},
    "room": {"easy": (60, 80), "medium": (40, 50), "hard": (20, 30)},
}
_APART: dict[Kind, tuple[int, ...]] = {"tabletop": (15, 20, 25), "room": (90, 110, 130)}
_DEGREES: dict[Difficulty, tuple[int, ...]] = {"easy": (90, 120, 180), "medium": (45, 60), "hard": (15, 30)}
_FACTORS: dict[Difficulty, tuple[float, ...]] = {"easy": (1.5, 0.6), "medium": (1.4, 0.7), "hard": (1.25, 0.8)}
_IDLE: dict[Operation, float] = {
    "move": 1 / 6,
    "place": 1 / 6,
    "rotate": 1 / 6,
    "scale": 1 / 6,
    "view": 1 / 6,
    "remove": 1 / 3,
}
"""How often the noisy editor hands in the original."""
_TURNS: dict[Difficulty, tuple[int, ...]] = {"easy": (10, 12), "medium": (8, 10), "hard": (5, 6)}


@dataclass(frozen=True, kw_only=True)
class Task:
    """One instruction, with the scenes that the sample editors make of it; ``target`` is the label to look for."""

    operation: Operation
    instruction: str
    target: str
    target_index: int | None
    edit: Edit
    goal: Scene
    noisy: Scene
    misdirected: Scene


class _Wish:
    """An instruction before anybody has checked that it can be carried out."""

    def __init__(self, words: str, edit: Edit, target: str) -> None:
        self.words, self.edit, self.target = words, edit, target


def draw_task(rng: np.random.Generator, scene: Scene, operation: Operation, difficulty: Difficulty) -> Task | None:
    """A task of which every version keeps the benchmark's guarantees; None when none is found."""
    idle = rng.random() < _IDLE[operation]  # drawn once: what is hard to do imperfectly must not be skipped more often
    for _ in range(_TRIES):
        wish = _DRAW[operation](rng, scene, difficulty)
        if wish is None:
            continue
        goal = wish.edit.apply(scene)
        noisy = wish.edit.apply(scene, Slip(share=0.0) if idle else _slip(rng, operation))
        misdirected = _misdirected(rng, scene, wish.edit)
        if misdirected is not None and is_valid(goal) and is_valid(noisy):
            return Task(
                operation=operation,
                instruction=wish.words,
                target=wish.target,
                target_index=wish.edit.target,
                edit=wish.edit,
                goal=goal,
                noisy=noisy,
                misdirected=misdirected,
            )
    return None


def _slip(rng: np.random.Generator, operation: Operation) -> Slip:
    """How the noisy editor errs: 25 to 40% too little or too much, a little astray."""
    if operation == "remove":
        return EXACT
    off = rng.uniform(0.25, 0.4) * rng.choice([-1.0, 1.0])
    return Slip(share=float(1 + off), stray=float(rng.uniform(-0.15, 0.15)))


def _misdirected(rng: np.random.Generator, scene: Scene, edit: Edit) -> Scene | None:
    """The edit done to a block that nobody meant."""
    for index in rng.permutation(len(scene.blocks)):
        if index != edit.target and is_valid(other := edit.aimed_at(int(index)).apply(scene)):
            return other
    return None


def _named(rng: np.random.Generator, scene: Scene) -> tuple[int, str] | None:
    """A block and how to name it; blocks with a twin are preferred, where there are any."""
    labels = [block.label for block in scene.blocks]
    twins = [i for i, label in enumerate(labels) if labels.count(label) > 1]
    index = int(rng.choice(twins)) if twins and rng.random() < 0.7 else int(rng.integers(len(labels)))
    possible = names(scene.blocks, index)
    middle = [name for name in possible if name.startswith("middle")]  # rarely possible, so taken when it is
    return (index, str(rng.choice(middle or possible))) if possible else None


def _direction(rng: np.random.Generator) -> Direction:
    directions: tuple[Direction, ...] = ("left", "right", "closer", "away")
    return directions[int(rng.integers(4))]


def _move(rng: np.random.Generator, scene: Scene, difficulty: Difficulty) -> _Wish | None:
    if (named := _named(rng, scene)) is None:
        return None
    index, name = named
    direction, centimetres = _direction(rng), int(rng.choice(_CENTIMETRES[scene.kind][difficulty]))
    dx, dz = step(direction, centimetres / 100)
    words = f"Move the {name} {centimetres} centimeters {_MOVE_WORDS[direction]}"
    return _Wish(words, Move(index, dx, dz), scene.blocks[index].label)


def _place(rng: np.random.Generator, scene: Scene, _difficulty: Difficulty) -> _Wish | None:
    named, reference = _named(rng, scene), _named(rng, scene)
    if named is None or reference is None or named[0] == reference[0]:
        return None
    direction, centimetres = _direction(rng), int(rng.choice(_APART[scene.kind]))
    dx, dz = step(direction, centimetres / 100)
    block, beside = scene.blocks[named[0]], scene.blocks[reference[0]]
    edit = Move(named[0], beside.x + dx - block.x, beside.z + dz - block.z)
    if np.hypot(edit.dx, edit.dz) < min(_CENTIMETRES[scene.kind]["medium"]) / 100:
        return None
    words = f"Place the {named[1]} {centimetres} centimeters {_PLACE_WORDS[direction]} the {reference[1]}"
    return _Wish(words, edit, block.label)


def _rotate(rng: np.random.Generator, scene: Scene, difficulty: Difficulty) -> _Wish | None:
    if (named := _named(rng, scene)) is None:
        return None
    degrees, clockwise = int(rng.choice(_DEGREES[difficulty])), bool(rng.random() < 0.5)
    words = f"Rotate the {named[1]} {degrees} degrees {'clockwise' if clockwise else 'counterclockwise'}"
    angle = float(np.radians(degrees)) * (1 if clockwise else -1)
    return _Wish(words, Rotate(named[0], angle), scene.blocks[named[0]].label)


def _scale(rng: np.random.Generator, scene: Scene, difficulty: Difficulty) -> _Wish | None:
    if (named := _named(rng, scene)) is None:
        return None
    factor = float(rng.choice(_FACTORS[difficulty]))
    larger = f"Make the {named[1]} {factor:g} times larger"
    words = larger if factor > 1 else f"Shrink the {named[1]} to {factor:g} times its size"
    return _Wish(words, Scale(named[0], factor), scene.blocks[named[0]].label)


def _remove(rng: np.random.Generator, scene: Scene, _difficulty: Difficulty) -> _Wish | None:
    if (named := _named(rng, scene)) is None:
        return None
    return _Wish(f"Remove the {named[1]}", Remove(named[0]), scene.blocks[named[0]].label)


def _view(rng: np.random.Generator, scene: Scene, difficulty: Difficulty) -> _Wish | None:
    if rng.random() < 0.85:  # most turns push a block out of the picture, so they are tried more often
        degrees, right = int(rng.choice(_TURNS[difficulty])), bool(rng.random() < 0.5)
        words = f"Turn the camera {degrees} degrees to the {'right' if right else 'left'}"
        return _Wish(words, View(pan=float(np.radians(degrees)) * (1 if right else -1)), "")
    direction, centimetres = _direction(rng), int(rng.choice(_CENTIMETRES[scene.kind][difficulty]))
    dx, dz = step(direction, centimetres / 100)
    return _Wish(f"Move the camera {centimetres} centimeters {_VIEW_WORDS[direction]}", View(dx, dz), "")


_DRAW: dict[Operation, Callable[[np.random.Generator, Scene, Difficulty], _Wish | None]] = {
    "move": _move,
    "rotate": _rotate,
    "scale": _scale,
    "remove": _remove,
    "view": _view,
    "place": _place,
}
