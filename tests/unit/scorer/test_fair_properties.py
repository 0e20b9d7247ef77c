"""What the fair profile promises of IC and SA, over random scenes, edits and detections."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from benchmarks.simulation import (
    EXACT,
    Amount,
    Noise,
    Thing,
    World,
    amount_of,
    case_of,
    edited,
    opposite,
    random_world,
    seen_again,
)
from scorer.detectors.port import Detection
from scorer.deviations import FAIR, OFFICIAL
from scorer.geometry import FloatArray
from scorer.rules import Case, Edit, judge

OPERATIONS = ("move", "rotate", "scale", "remove")
NOISE = Noise()
MANY = settings(max_examples=200, deadline=None)


@dataclass(frozen=True, eq=False)
class Question:
    """One edit that is asked for in one scene, and the generator for all that follows."""

    world: World
    operation: str
    amount: Amount
    rng: np.random.Generator

    @property
    def case(self) -> Case:
        goal = edited(self.world.target, self.operation, self.amount)
        before = self.world.seen(self.world.things, EXACT, self.rng)
        return case_of(self.world, self.operation, goal, before=before, after=[])

    def judged(self, *things: Thing, noise: Noise = EXACT) -> Edit:
        after = self.world.seen(things, noise, self.rng)
        return judge(seen_again(self.case, after, known=self.world.known), FAIR)

    def done(self, amount: Amount, *, index: int = 0, operation: str | None = None) -> Edit:
        changed = edited(self.world.things[index], operation or self.operation, amount)
        return self.judged(*self.world.with_change(changed, index=index))


magnitudes = {
    "move": st.floats(0.05, 2.0),
    "rotate": st.floats(5, 180).flatmap(lambda angle: st.sampled_from([angle, -angle])),
    "scale": st.floats(0.5, 2.0).filter(lambda factor: abs(math.log(factor)) > 0.02),
    "remove": st.just(0.0),
}
worlds = st.builds(
    lambda seed, count, twins, height, width, known: random_world(
        np.random.default_rng(seed), count=count, twins=min(twins, count - 1), size=(height, width), known=known
    ),
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(0, 5),
    st.integers(512, 2048),
    st.integers(512, 2048),
    st.booleans(),
)


@st.composite
def questions(draw: st.DrawFn, *, operations: tuple[str, ...] = OPERATIONS) -> Question:
    world, operation = draw(worlds), draw(st.sampled_from(operations))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Question(world, operation, amount_of(world, rng, operation, draw(magnitudes[operation])), rng)


@given(questions())
@MANY
def test_a_perfect_edit_scores_everything_at_every_magnitude_and_image_size(question):
    found = question.done(question.amount)
    assert found.compliance == 1
    assert found.accuracy == pytest.approx(1, abs=1e-6)


@given(questions())
@MANY
def test_an_unchanged_image_scores_nothing(question):
    found = question.judged(*question.world.things)
    assert (found.compliance, found.accuracy) == (0, 0)


@given(questions(), st.integers(1, 5))
@MANY
def test_the_same_act_done_to_another_object_scores_nothing(question, index):
    assume(index < len(question.world.things))
    found = question.done(question.amount, index=index)
    assert (found.compliance, found.accuracy) == (0, 0)


@given(questions(operations=("move", "rotate", "scale")))
@MANY
def test_the_opposite_direction_sense_or_factor_scores_nothing(question):
    assume(question.operation != "rotate" or abs(question.amount) <= 140)
    found = question.done(opposite(question.operation, question.amount))
    assert (found.compliance, found.accuracy) == (0, 0)


@pytest.mark.parametrize(("degrees", "passes"), [(140, False), (143, False), (145, True), (170, True)])
def test_the_opposite_sense_passes_only_where_it_ends_within_half_the_angle_of_the_goal(degrees, passes):
    rng = np.random.default_rng(0)
    question = Question(random_world(rng, count=1), "rotate", float(degrees), rng)
    assert question.done(-float(degrees)).compliance == passes


@given(
    questions(operations=("move", "rotate", "scale")),
    st.lists(st.floats(0, 1.5), min_size=2, max_size=6),
    st.integers(0, 2**32 - 1),
)
@MANY
def test_accuracy_falls_with_the_error_and_is_paid_only_for_an_edit_that_was_made(question, errors, seed):
    amount, direction = question.amount, np.random.default_rng(seed).normal(size=3)

    def off(error: float) -> Amount:
        """An amount that misses by ``error`` of itself."""
        if question.operation == "move":
            return amount + direction / np.linalg.norm(direction) * error * np.linalg.norm(amount)
        return amount * (1 - error) if question.operation == "rotate" else amount ** (1 - error)

    found = [question.done(off(error)) for error in sorted(errors)]
    assert all(b.accuracy <= a.accuracy + 1e-9 for a, b in pairwise(found))
    assert all(one.compliance == 1 for one in found if one.accuracy > 0)


@given(questions(), st.booleans())
@MANY
def test_the_order_of_detections_never_matters(question, perfect):
    world, rng = question.world, question.rng
    changed = edited(world.target, question.operation, question.amount)
    before = world.seen(world.things, NOISE, rng)
    after = world.seen(world.with_change(changed) if perfect else world.things, NOISE, rng)
    goal = changed if question.operation != "remove" else None
    first, second = (
        judge(case_of(world, question.operation, goal, before=b, after=a), FAIR)
        for b, a in ((before, after), (before[::-1], after[::-1]))
    )
    assert (first.compliance, first.accuracy, first.reason) == (second.compliance, second.accuracy, second.reason)


def degenerate(kind: str, one: Detection) -> list[Detection]:
    box = one.bbox_3d

    def put(start: int, stop: int, values: float | FloatArray) -> Detection:
        changed = box.copy()
        changed[start:stop] = values
        return replace(one, bbox_3d=changed)

    return {
        "huge": [put(3, 6, 1e9)],
        "far": [put(0, 3, 1e9)],
        "without size": [replace(put(3, 6, 0.0), bbox_2d=np.zeros(4))],
        "in the camera": [put(0, 3, 0.0)],
        "behind": [put(0, 3, -box[:3])],
        "duplicate": [one, one, replace(one, score=0.1)],
        "over everything": [replace(one, bbox_2d=np.array([0.0, 0.0, 2048.0, 2048.0]))],
        "mirrored": [replace(one, rotation_matrix=-one.rotation_matrix)],
        "not turned at all": [replace(one, rotation_matrix=np.zeros((3, 3)))],
        "none": [],
    }[kind]


KINDS = [
    "huge",
    "far",
    "without size",
    "in the camera",
    "behind",
    "duplicate",
    "over everything",
    "mirrored",
    "not turned at all",
    "none",
]


@given(questions(), st.lists(st.sampled_from(KINDS), max_size=3), st.lists(st.sampled_from(KINDS), max_size=3))
@MANY
def test_no_detection_whatever_it_says_stops_the_rules_or_takes_a_score_out_of_its_range(question, before, after):
    world = question.world
    changed = edited(world.target, question.operation, question.amount)
    seen = world.seen(world.things, NOISE, question.rng)
    seen_before, seen_after = (
        [odd for kind in kinds for odd in degenerate(kind, seen[0])] or world.seen(world.things, EXACT, question.rng)
        for kinds in (before, after)
    )
    case = case_of(
        world,
        question.operation,
        None if question.operation == "remove" else changed,
        before=seen_before,
        after=seen_after,
    )
    found = judge(case, FAIR)
    assert found.compliance in (0, 1)
    assert 0 <= found.accuracy <= 1
    assert isinstance(judge(case, OFFICIAL).accuracy, float)


FOUR_TIMES = {
    "move": (0.08, 4000),
    "rotate": (12.0, 20000),
    "scale": (math.exp(4 * 0.02 / 0.25), 4000),
    "remove": (0.0, 1500),
}
"""Magnitude, four times the noise (of a side of 25 cm for a scale), and trials enough for the bound."""


@pytest.mark.parametrize("operation", FOUR_TIMES)
def test_a_perfect_edit_of_four_times_the_noise_complies_in_more_than_95_percent(operation):
    """At a confidence of 95% (Clopper and Pearson, one-sided); sides of at least 25 cm, so that the drift that a
    rotation may show is also more than four times the noise.
    """
    rng = np.random.default_rng(20)
    magnitude, trials = FOUR_TIMES[operation]
    count = 3 if operation == "remove" else 1
    successes = 0
    for _ in range(trials // 100):
        world = random_world(rng, count=count, twins=1 if count > 1 else 0, sides=(0.25, 0.4))
        amount = amount_of(world, rng, operation, magnitude)
        goal = edited(world.target, operation, amount)
        case = case_of(world, operation, goal, before=world.seen(world.things, NOISE, rng), after=[])
        for _ in range(100):
            after = world.seen(world.with_change(goal), NOISE, rng)
            successes += judge(seen_again(case, after), FAIR).compliance == 1
    bound = binomtest(successes, trials // 100 * 100).proportion_ci(0.90, method="exact").low
    assert bound > 0.95
