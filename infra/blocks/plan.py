"""The whole benchmark before anything is rendered: scenes and tasks, drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infra.blocks.sampling import sample_scene
from infra.blocks.scene import Kind, Scene
from infra.blocks.tasks import Task, draw_task
from scorer.contract import Difficulty, Operation

KINDS: tuple[Kind, ...] = ("tabletop", "room")
OPERATIONS: tuple[Operation, ...] = ("move", "rotate", "scale", "remove", "view", "place")
SCENES_OF_A_KIND = 9
TASKS_OF_A_SCENE = 4
_LEVELS: tuple[tuple[Difficulty, int, int], ...] = (("easy", 3, 0), ("medium", 5, 1), ("hard", 6, 2))
"""Difficulty, number of blocks, how many of them have a twin."""


@dataclass(frozen=True, kw_only=True)
class PlannedSample:
    """One sample: its id, its scene, its difficulty, its task."""

    id: str
    scene: Scene
    difficulty: Difficulty
    task: Task


def plan_benchmark(seed: int) -> list[PlannedSample]:
    """All samples, the same for the same seed: 9 scenes of each kind, 4 tasks each, every operation 6 times a kind."""
    return [sample for kind in KINDS for number in range(SCENES_OF_A_KIND) for sample in plan_scene(seed, kind, number)]


def plan_scene(seed: int, kind: Kind, number: int) -> list[PlannedSample]:
    """The four samples of one scene; it depends on no other scene."""
    rng = np.random.default_rng([seed, KINDS.index(kind), number])
    difficulty, count, twins = _LEVELS[number % len(_LEVELS)]
    # The extra step after every three scenes lets each operation meet each difficulty.
    first = number * TASKS_OF_A_SCENE + number // len(_LEVELS) * 2
    operations = [OPERATIONS[(first + i) % len(OPERATIONS)] for i in range(TASKS_OF_A_SCENE)]
    name = f"{kind}-{number + 1:02d}"
    while True:
        scene = sample_scene(rng, name=name, kind=kind, count=count, twins=twins)
        tasks = _tasks(rng, scene, operations, difficulty)
        if tasks is not None:
            break
    return [
        PlannedSample(id=f"{name}_edit_{i}", scene=scene, difficulty=difficulty, task=task)
        for i, task in enumerate(tasks)
    ]


def subset_of(kind: Kind) -> str:
    """The id of the subset that a kind of scene belongs to."""
    return f"blocks-{kind}"


def _tasks(
    rng: np.random.Generator, scene: Scene, operations: list[Operation], difficulty: Difficulty
) -> list[Task] | None:
    tasks = []
    for operation in operations:
        task = draw_task(rng, scene, operation, difficulty)
        if task is None:
            return None
        tasks.append(task)
    return tasks
