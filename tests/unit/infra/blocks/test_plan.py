from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from infra.blocks.edits import View
from infra.blocks.plan import KINDS, OPERATIONS, plan_scene
from infra.blocks.scene import GAP_PIXELS, apart, is_valid, projected_corners
from scorer.blocks.world import ROOM_CATEGORIES, TABLETOP_CATEGORIES
from scorer.operations.parsing import parse_operation

from .conftest import SHIPPED_SEED

LEVELS = ("easy", "medium", "hard")


@pytest.fixture(scope="module")
def versions(plan):
    """(sample id, what it is, scene) of every scene that is ever shown."""
    return [
        (sample.id, what, scene)
        for sample in plan
        for what, scene in (
            ("original", sample.scene),
            ("true edit", sample.task.goal),
            ("noisy edit", sample.task.noisy),
            ("wrong object", sample.task.misdirected),
        )
    ]


def boxes(scene):
    return [(*box.bbox_3d, *box.rotation_matrix.flat) for box in scene.boxes()]


@pytest.mark.parametrize(("kind", "number"), [("tabletop", 4), ("room", 0)])
def test_the_same_seed_plans_the_same_scene_and_tasks(plan, kind, number):
    again = plan_scene(SHIPPED_SEED, kind, number)
    before = [sample for sample in plan if sample.scene.name == again[0].scene.name]
    assert [(s.id, s.difficulty, s.task.instruction) for s in again] == [
        (s.id, s.difficulty, s.task.instruction) for s in before
    ]
    for one, other in zip(again, before, strict=True):
        for version in ("goal", "noisy", "misdirected"):
            assert boxes(getattr(one.task, version)) == boxes(getattr(other.task, version))


def test_another_seed_plans_another_scene(plan):
    other = plan_scene(SHIPPED_SEED + 1, "tabletop", 0)[0].scene
    assert boxes(other) != boxes(plan[0].scene)
    assert other.look != plan[0].scene.look


def test_every_operation_meets_every_difficulty_twice_in_each_subset(plan):
    counted = Counter((s.scene.kind, s.task.operation, s.difficulty) for s in plan)
    assert counted == {(kind, op, level): 2 for kind in KINDS for op in OPERATIONS for level in LEVELS}


def test_there_are_nine_scenes_of_each_kind_and_72_samples(plan):
    assert Counter(kind for kind, _ in {(s.scene.kind, s.scene.name) for s in plan}) == {"tabletop": 9, "room": 9}
    assert len({s.id for s in plan}) == len(plan) == 72


def test_the_guarantees_hold_in_every_version_of_every_sample(versions):
    assert [(name, what) for name, what, scene in versions if not is_valid(scene)] == []


def test_silhouettes_keep_their_distance_also_measured_by_sampling_their_outlines(versions):
    share = np.linspace(0, 1, 9)[:, None]
    for name, what, scene in versions[::31]:
        blocks = scene.seen()
        outlines = [projected_corners(scene.camera, block) for block in blocks]
        # Points along all segments between corners: a dense net on each silhouette, its outline included.
        nets = [np.concatenate([a * share + b * (1 - share) for a in o for b in o]) for o in outlines]
        for i, one in enumerate(nets):
            for j in range(i):
                distance = np.linalg.norm(one[:, None] - nets[j][None], axis=-1).min()
                assert distance >= GAP_PIXELS - 1e-3, (name, what)
                assert distance >= apart(outlines[i], outlines[j]) - 1e-3


def test_the_first_words_say_which_operation_it_is(plan):
    for sample in plan:
        expected = "move" if sample.task.operation == "place" else sample.task.operation
        assert parse_operation(sample.task.instruction) == expected, sample.task.instruction


def test_a_colour_has_one_word_throughout_a_scene_and_words_fit_the_kind(plan):
    for sample in plan:
        words = {(block.colour, block.category) for block in sample.scene.blocks}
        assert len(words) == len({colour for colour, _ in words})
        allowed = TABLETOP_CATEGORIES if sample.scene.kind == "tabletop" else ROOM_CATEGORIES
        assert {category for _, category in words} <= set(allowed)


def test_no_block_is_nearly_square_seen_from_above(plan):
    for sample in plan:
        for w, _, length in (block.size for block in sample.scene.blocks):
            assert abs(w / length - 1) > 0.1


def test_harder_scenes_hold_more_blocks_and_repeat_colours(plan):
    def blocks(level):
        return [len(s.scene.blocks) for s in plan if s.difficulty == level]

    def repeated(level):
        labels = [[b.label for b in s.scene.blocks] for s in plan if s.difficulty == level]
        return sum(len(names) - len(set(names)) for names in labels) / len(labels)

    assert max(blocks("easy")) < min(blocks("medium")) < min(blocks("hard"))
    assert repeated("easy") == 0 < repeated("medium") < repeated("hard")


def test_words_for_places_are_used_and_only_where_colours_repeat(plan):
    places = re.compile(r"\b(leftmost|rightmost|nearest|farthest|middle) (\w+ \w+)")
    used = set()
    for sample in plan:
        labels = [block.label for block in sample.scene.blocks]
        for word, label in places.findall(sample.task.instruction):
            used.add(word)
            assert labels.count(label) > 1, sample.id
    assert used == {"leftmost", "rightmost", "nearest", "farthest", "middle"}


def test_the_goal_is_what_the_instruction_says(plan):
    for sample in plan:
        before, after, words = sample.scene, sample.task.goal, sample.task.instruction
        number = float(re.search(r"\d+(\.\d+)?", words).group()) if sample.task.operation != "remove" else 0.0
        index = sample.task.target_index
        match sample.task.operation:
            case "move":
                one, other = before.blocks[index], after.blocks[index]
                expected = {
                    "left": (-number, 0),
                    "right": (number, 0),
                    "camera": (0, -number if "closer" in words else number),
                }
                moved = ((other.x - one.x) * 100, (other.z - one.z) * 100)
                assert moved == pytest.approx(expected[words.split()[-1]]), words
            case "place":
                place = re.search(r"the left of|the right of|in front of|behind", words).group()
                beside = after.blocks[index]
                expected = {
                    "the left of": (-number, 0),
                    "the right of": (number, 0),
                    "in front of": (0, -number),
                    "behind": (0, number),
                }[place]
                named = words.split(place)[1].split()[-2:]
                reached = [
                    ((beside.x - b.x) * 100, (beside.z - b.z) * 100)
                    for i, b in enumerate(before.blocks)
                    if i != index and b.label == " ".join(named)
                ]
                assert any(offset == pytest.approx(expected) for offset in reached), words
            case "rotate":
                turned = np.degrees(after.blocks[index].yaw - before.blocks[index].yaw)
                assert turned == pytest.approx(-number if "counterclockwise" in words else number), words
            case "scale":
                ratio = np.array(after.blocks[index].size) / before.blocks[index].size
                assert ratio == pytest.approx([number] * 3), words
            case "remove":
                assert after.blocks == before.blocks[:index] + before.blocks[index + 1 :]
            case "view":
                pose = after.pose
                sign = -1 if words.endswith(("left", "backward")) else 1
                moved = np.degrees(pose.pan) if words.startswith("Turn") else 100 * (pose.x + pose.z)
                assert moved == pytest.approx(sign * number), words
                assert after.blocks == before.blocks


def idle(sample):
    return sample.task.noisy.blocks == sample.scene.blocks and sample.task.noisy.pose == sample.scene.pose


def test_the_noisy_editor_errs_by_a_quarter_to_two_fifths(plan):
    for sample in plan:
        task, before = sample.task, sample.scene
        if idle(sample):
            continue
        if task.operation in ("move", "place"):
            goal, noisy = (scene.blocks[task.target_index] for scene in (task.goal, task.noisy))
            start = before.blocks[task.target_index]
            asked = np.hypot(goal.x - start.x, goal.z - start.z)
            error = np.hypot(noisy.x - goal.x, noisy.z - goal.z) / asked
            assert 0.25 <= error <= 0.43, sample.id
        if task.operation == "rotate":
            goal, noisy, start = (s.blocks[task.target_index].yaw for s in (task.goal, task.noisy, before))
            assert 0.25 <= abs(noisy - goal) / abs(goal - start) <= 0.40, sample.id
        if task.operation == "scale":
            goal, noisy, start = (s.blocks[task.target_index].size[0] for s in (task.goal, task.noisy, before))
            assert 0.25 <= abs(np.log(noisy / goal)) / abs(np.log(goal / start)) <= 0.40 + 1e-9, sample.id
        if task.operation == "view":
            assert isinstance(task.edit, View)
            assert task.noisy.pose != task.goal.pose
            assert task.noisy.blocks == before.blocks


def test_the_noisy_editor_does_some_tasks_not_at_all_and_most_of_them_somehow(plan):
    done_nothing = Counter(sample.task.operation for sample in plan if idle(sample))
    assert 6 <= done_nothing.total() <= 24
    assert 0 < done_nothing["remove"] < 6


def test_the_editor_of_the_wrong_object_leaves_the_target_and_the_camera(plan):
    for sample in plan:
        task = sample.task
        assert task.misdirected.pose == sample.scene.pose
        assert task.misdirected.blocks != sample.scene.blocks
        if task.target_index is not None:
            assert sample.scene.blocks[task.target_index] in task.misdirected.blocks
