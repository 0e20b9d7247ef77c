"""Each deviation that is about boxes, switched alone: which cases it changes, and how. All else stays as it was."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from benchmarks.simulation import EXACT, Thing, World, case_of, edited, random_world
from scorer.detectors.port import Detection
from scorer.deviations import FAIR, OFFICIAL, Deviation, Profile
from scorer.operations.evidence import Pose
from scorer.rules import Case, judge

TILT = random_world(np.random.default_rng(0)).tilt


def thing(label: str, x: float, z: float) -> Thing:
    box = np.concatenate([TILT @ [x, 0.4, z], [0.3, 0.4, 0.25], [0.0]])
    return Thing(label, Pose(box, TILT))


WORLD = World((thing("red chair", 0.0, 2.4), thing("red chair", 0.8, 2.6), thing("lamp", -0.8, 2.6)), 672, 896, TILT)
TARGET, TWIN, _ = WORLD.things


def seen(*things: Thing) -> list[Detection]:
    return sorted(WORLD.seen(things, EXACT, np.random.default_rng(0)), key=lambda found: list(found.bbox_3d))


def case(operation: str, asked: object, *after: Thing, before: tuple[Thing, ...] = WORLD.things) -> Case:
    goal = edited(TARGET, operation, asked)  # type: ignore[arg-type]
    return case_of(WORLD, operation, goal, before=seen(*before), after=seen(*after))


def right(metres: float) -> np.ndarray:
    return np.array([metres, 0.0, 0.0])


def changed(operation: str, amount: object) -> tuple[Thing, ...]:
    return WORLD.with_change(edited(TARGET, operation, amount))  # type: ignore[arg-type]


CASES: Mapping[str, Case] = {
    "moved 50 cm": case("move", right(-0.5), *changed("move", right(-0.5))),
    "moved 10 cm": case("move", right(0.1), *changed("move", right(0.1))),
    "moved 50 cm the wrong way": case("move", right(-0.5), *changed("move", right(0.5))),
    "moved 40% of 1 m": case("move", right(-1.0), *changed("move", right(-0.4))),
    "moved, twin lost": case("move", right(-0.5), changed("move", right(-0.5))[0], WORLD.things[2]),
    "moved, origin measured badly": case(
        "move", right(-0.5), *changed("move", right(-0.5)), before=WORLD.with_change(TARGET.moved(right(0.35)))
    ),
    "not moved": case("move", right(-0.5), *WORLD.things),
    "turned 45°": case("rotate", 45.0, *changed("rotate", 45.0)),
    "turned 180°": case("rotate", 180.0, *changed("rotate", 180.0)),
    "turned 45° the wrong sense": case("rotate", 45.0, *changed("rotate", -45.0)),
    "enlarged by 1.5": case("scale", 1.5, *changed("scale", 1.5)),
    "shrunk instead of enlarged": case("scale", 1.5, *changed("scale", 1 / 1.5)),
    "not enlarged": case("scale", 1.5, *WORLD.things),
    "removed": case("remove", 0.0, *WORLD.things[1:]),
    "removed with the lamp": case("remove", 0.0, TWIN),
    "not removed": case("remove", 0.0, *WORLD.things),
}

BASE = {
    "moved 50 cm": ((1, 1), (1, 1)),
    "moved 10 cm": ((0, 0), (1, 1)),
    "moved 50 cm the wrong way": ((1, 0.7), (0, 0)),
    "moved 40% of 1 m": ((1, 0.5674), (0, 0)),
    "moved, twin lost": ((1, 0.5), (1, 1)),
    "moved, origin measured badly": ((0, 0), (1, 1)),
    "not moved": ((0, 0), (0, 0)),
    "turned 45°": ((1, 1), (1, 1)),
    "turned 180°": ((0, 0), (1, 1)),
    "turned 45° the wrong sense": ((1, 0.5 + 0.5 * np.exp(-np.pi / 2)), (0, 0)),
    "enlarged by 1.5": ((1, 1), (1, 1)),
    "shrunk instead of enlarged": ((1, np.exp(-(np.log(2.25) ** 2))), (0, 0)),
    "not enlarged": ((0, np.exp(-(np.log(1.5) ** 2))), (0, 0)),
    "removed": ((1, 1), (1, 1)),
    "removed with the lamp": ((1, 1), (1, 0.5)),
    "not removed": ((0, 0), (0, 0)),
}
"""IC and SA of each case under the official and the fair profile."""

ALONE: Mapping[Deviation, tuple[Mapping[str, tuple[float, float]], Mapping[str, tuple[float, float]]]] = {
    Deviation.SMALL_MOVES: ({"moved 10 cm": (1, 1)}, {"moved 10 cm": (0, 0)}),
    Deviation.STILL_RECTANGLES: ({"turned 180°": (1, 1)}, {"turned 180°": (0, 0)}),
    Deviation.MOVE_DIRECTION: (
        {"moved 50 cm the wrong way": (0, 0), "moved 40% of 1 m": (0, 0.4)},
        {"moved 50 cm the wrong way": (1, 0.7), "moved 40% of 1 m": (1, 0.5674)},
    ),
    Deviation.GATED_ACCURACY: ({"not enlarged": (0, 0)}, {"moved 40% of 1 m": (0, 0.4)}),
    Deviation.SCALE_DIRECTION: (
        {"shrunk instead of enlarged": (0, 0), "not enlarged": (0, 0)},
        {"shrunk instead of enlarged": BASE["shrunk instead of enlarged"][0]},
    ),
    Deviation.ROTATION_SENSE: (
        {"turned 45° the wrong sense": (0, 0)},
        {"turned 45° the wrong sense": BASE["turned 45° the wrong sense"][0]},
    ),
    Deviation.COUNTS: (
        {"moved, twin lost": (1, 1), "removed with the lamp": (1, 0.5)},
        {"moved, twin lost": (1, 0.5), "removed with the lamp": (1, 1)},
    ),
    Deviation.ORIGIN_ASSIGNED: (
        {"moved, origin measured badly": (1, 1)},
        {"moved, origin measured badly": (0, 0)},
    ),
}
"""What each does alone: switched on in the official profile, switched off in the fair one."""


def results(profile: Profile) -> dict[str, tuple[float, float]]:
    found = {name: judge(one, profile) for name, one in CASES.items()}
    return {name: (edit.compliance, edit.accuracy) for name, edit in found.items()}


def assert_agrees(found: Mapping[str, tuple[float, float]], expected: Mapping[str, tuple[float, float]]) -> None:
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=2e-4), name


@pytest.mark.parametrize(("profile", "column"), [(OFFICIAL, 0), (FAIR, 1)], ids=["official", "fair"])
def test_the_two_profiles_say_of_each_case_what_the_page_says(profile, column):
    assert_agrees(results(profile), {name: values[column] for name, values in BASE.items()})


@pytest.mark.parametrize("deviation", Deviation)
def test_a_deviation_alone_in_the_official_profile_changes_its_cases_and_no_other(deviation):
    expected = {name: values[0] for name, values in BASE.items()} | ALONE.get(deviation, ({}, {}))[0]
    assert_agrees(results(Profile("alone", frozenset({deviation}))), expected)


@pytest.mark.parametrize("deviation", Deviation)
def test_a_deviation_missing_from_the_fair_profile_changes_its_cases_and_no_other(deviation):
    expected = {name: values[1] for name, values in BASE.items()} | ALONE.get(deviation, ({}, {}))[1]
    assert_agrees(results(Profile("without", FAIR.deviations - {deviation})), expected)
