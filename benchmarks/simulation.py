"""Random scenes, edits of them and a noisy detector, without pictures: what the rules of a profile are asked about.

Scenes stand on a floor before a camera that looks down a little. Everything is in the camera frame, metres. The first
thing of a scene is the target. All randomness comes from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scorer.contract import TruthObject, TruthSample
from scorer.detectors.port import Detection
from scorer.geometry import FloatArray, projected_box, yaw_rotation
from scorer.official.imaging import Frame
from scorer.operations.evidence import Pose
from scorer.operations.matching import find_origins, is_called
from scorer.rules import Case

SPACING = 0.7
"""Metres between the places of a scene; the largest thing has a diagonal of 0.57."""
CLEARANCE = 0.35
"""Goals keep at least this distance, metres, from every other thing."""


@dataclass(frozen=True)
class Noise:
    """Standard deviations of a detector: ``metres`` for each coordinate of the centre and each side, ``pixels`` for
    each number of the rectangle, ``degrees`` about the vertical.
    """

    metres: float = 0.02
    pixels: float = 3.0
    degrees: float = 3.0


EXACT = Noise(0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Thing:
    """An object with its name."""

    label: str
    pose: Pose

    @property
    def truth(self) -> TruthObject:
        """As the ground truth states it."""
        return TruthObject(
            label=self.label, bbox_3d=self.pose.box.tolist(), rotation_matrix=self.pose.rotation.tolist()
        )

    def moved(self, by: FloatArray) -> Thing:
        """At another place, (3,) metres."""
        return self._with(np.concatenate([self.pose.centre + by, self.pose.box[3:]]), self.pose.rotation)

    def turned(self, degrees: float) -> Thing:
        """Turned about its own vertical."""
        turn = float(np.deg2rad(degrees))
        box = self.pose.box.copy()
        box[6] = np.angle(np.exp(1j * (box[6] + turn)))
        return self._with(box, self.pose.rotation @ yaw_rotation(turn))

    def scaled(self, factor: float) -> Thing:
        """Larger or smaller by one factor, standing where it stood."""
        box = self.pose.box.copy()
        box[:3] -= self.pose.rotation[:, 1] * box[4] * (factor - 1) / 2
        box[3:6] *= factor
        return self._with(box, self.pose.rotation)

    def _with(self, box: FloatArray, rotation: FloatArray) -> Thing:
        return Thing(self.label, Pose(box, rotation))


@dataclass(frozen=True, eq=False)
class World:
    """A scene. ``tilt``: (3, 3), level to camera frame; ``known``: whether the truth knows all things or the target."""

    things: tuple[Thing, ...]
    height: int
    width: int
    tilt: FloatArray
    known: bool = True

    @cached_property
    def intrinsics(self) -> FloatArray:
        """To the image's pixels; a field of view of 53 degrees over the longest side."""
        focal = float(max(self.height, self.width))
        return np.array([[focal, 0.0, self.width / 2], [0.0, focal, self.height / 2], [0.0, 0.0, 1.0]])

    @property
    def target(self) -> Thing:
        """What instructions speak of."""
        return self.things[0]

    def with_change(self, changed: Thing | None, *, index: int = 0) -> tuple[Thing, ...]:
        """The things with one changed, or gone."""
        put = () if changed is None else (changed,)
        return self.things[:index] + put + self.things[index + 1 :]

    def seen(self, things: Sequence[Thing], noise: Noise, rng: np.random.Generator) -> list[Detection]:
        """What a detector of that noise sees of them, in random order."""
        found = [self._seen(thing, noise, rng) for thing in things]
        return [found[i] for i in rng.permutation(len(found))]

    def _seen(self, thing: Thing, noise: Noise, rng: np.random.Generator) -> Detection:
        turned = thing.turned(rng.normal(0, noise.degrees)).pose
        box = turned.box.copy()
        box[:6] += rng.normal(0, noise.metres, 6)
        box[3:6] = np.maximum(box[3:6], 1e-3)
        rectangle = projected_box(thing.pose.box, intrinsics=self.intrinsics, rotation=thing.pose.rotation)
        rectangle = np.nan_to_num(rectangle + rng.normal(0, noise.pixels, 4), posinf=1e6, neginf=-1e6)
        rectangle = np.clip(rectangle.reshape(2, 2), 0, [self.width, self.height]).reshape(4)
        return Detection(thing.label, box, rectangle, turned.rotation, float(rng.uniform(0.5, 1)))


def random_world(
    rng: np.random.Generator,
    *,
    count: int = 4,
    twins: int = 1,
    size: tuple[int, int] = (672, 896),
    sides: tuple[float, float] = (0.16, 0.4),
    known: bool = True,
) -> World:
    """``count`` things at places of their own, the first ``twins + 1`` of one name; ``size``: (height, width)."""
    places = [(x, z) for x in (-1, 0, 1) for z in (0, 1, 2)]
    tilt = _about_x(float(rng.uniform(0.1, 0.6)))
    things = []
    for i, place in enumerate(rng.permutation(len(places))[:count]):
        x, z = np.array(places[place]) * SPACING + rng.uniform(-0.05, 0.05, 2) + [0.0, 1.8]
        sizes = rng.uniform(*sides, 3)
        yaw = float(rng.uniform(-np.pi, np.pi))
        box = np.concatenate([tilt @ [x, 0.6 - sizes[1] / 2, z], sizes, [yaw]])
        things.append(Thing("red chair" if i <= twins else "lamp", Pose(box, tilt @ yaw_rotation(yaw))))
    return World(tuple(things), *size, tilt, known)


def _about_x(angle: float) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def way(world: World, rng: np.random.Generator, metres: float) -> FloatArray:
    """A displacement (3,) of that length along the floor, its end before the camera and clear of all other things."""
    for angle in rng.uniform(-np.pi, np.pi, 200):
        step = world.tilt @ np.array([metres * np.cos(angle), 0.0, metres * np.sin(angle)])
        end = world.target.pose.centre + step
        clear = all(np.linalg.norm(end - thing.pose.centre) >= CLEARANCE for thing in world.things[1:])
        if clear and end[2] > 0.5:
            return np.asarray(step)
    raise ValueError(f"the target has no clear way of {metres} m")


def case_of(
    world: World, operation: str, goal: Thing | None, *, before: Sequence[Detection], after: Sequence[Detection]
) -> Case:
    """What the rules are asked, put together as ``scorer.sample`` does. ``before``, ``after``: all that is seen."""
    target, name = world.target.pose, world.target.label
    goal_pose = None if goal is None else goal.pose
    known = [thing.truth for thing in world.things] if world.known else [world.target.truth]
    named = [[found for found in seen if is_called(found, name)] for seen in (before, after)]
    frame = Frame.of(world.height, world.width)
    origins = find_origins(
        known,
        before if world.known else named[0],
        intrinsics=world.intrinsics,
        image_size=np.array([world.width, world.height], dtype=np.float64),
    )
    truth = TruthSample(
        prompt=f"{operation} the {name}",
        target=name,
        original_bbox_3d=target.box.tolist(),
        rotation_matrix=target.rotation.tolist(),
        camera_intrinsics=world.intrinsics.tolist(),
        new_bbox_3d=None if goal_pose is None else goal_pose.box.tolist(),
        new_rotation_matrix=None if goal_pose is None else goal_pose.rotation.tolist(),
        target_index=0,
        objects=known,
        new_objects=[],
    )
    everything = operation == "remove"
    return Case(
        operation=operation,
        truth=truth,
        origins=origins if everything else [origin for origin in origins if origin.label == name],
        target=0,
        before=named[0],
        after=named[1],
        found=after if everything and world.known else named[1],
        frame=frame,
        intrinsics=frame.matrix @ world.intrinsics,
    )


def seen_again(case: Case, after: Sequence[Detection], *, known: bool = True) -> Case:
    """The same question about another edited image."""
    named = [found for found in after if is_called(found, case.truth.target)]
    return replace(case, after=named, found=after if case.operation == "remove" and known else named)


Amount = FloatArray | float
"""How much: the displacement (3,) of a move, the degrees of a turn, the factor of a change of size."""


def amount_of(world: World, rng: np.random.Generator, operation: str, magnitude: float) -> Amount:
    """``magnitude`` as an amount: a move gets a random direction."""
    return way(world, rng, magnitude) if operation == "move" else magnitude


def edited(thing: Thing, operation: str, amount: Amount) -> Thing | None:
    """The thing after move, rotate, scale or remove; None where it is gone."""
    if operation == "remove":
        return None
    if operation == "move":
        return thing.moved(np.asarray(amount))
    return thing.turned(float(amount)) if operation == "rotate" else thing.scaled(float(amount))


def opposite(operation: str, amount: Amount) -> Amount:
    """The other way, the other sense, the inverse factor."""
    return 1 / amount if operation == "scale" else -amount
