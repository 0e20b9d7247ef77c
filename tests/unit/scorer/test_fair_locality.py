"""What the fair profile promises of EL: the whole scene outside the target's boxes, at every image size."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchmarks.simulation import EXACT, World, case_of, edited, random_world, seen_again
from scorer import comparing
from scorer.comparing import Preparation, Rest
from scorer.deviations import FAIR, OFFICIAL, Profile
from scorer.measures.msssim import REACH, MsSsim
from scorer.official.imaging import whole_size
from scorer.rules import judge

NETWORK = MsSsim()
FEW = settings(max_examples=5, deadline=None)
sizes = st.tuples(st.integers(512, 2048), st.integers(512, 2048))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def noise(size: tuple[int, int], *, seed: int = 0) -> np.ndarray:
    """A picture with structure at every scale of interest."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (-(-size[0] // 16), -(-size[1] // 16), 3), dtype=np.uint8)
    return np.ascontiguousarray(small.repeat(16, axis=0).repeat(16, axis=1)[: size[0], : size[1]])


def compared(
    original: np.ndarray, changed: np.ndarray, kept: np.ndarray | None = None, *, profile: Profile = FAIR
) -> Rest:
    share = Preparation.of(profile).share(original, NETWORK)
    size = tuple(share.image.shape[1:])
    mask = comparing.everything(size) if kept is None else kept
    return comparing.compare(share, changed, kept=mask, profile=profile, network=NETWORK)


def moved(world: World) -> tuple[np.ndarray, list[np.ndarray]]:
    """What is kept where the target of a scene moved 30 cm to the right, and its two rectangles in the image."""
    rng = np.random.default_rng(0)
    goal = edited(world.target, "move", np.array([0.3, 0.0, 0.0]))
    case = case_of(world, "move", goal, before=world.seen(world.things, EXACT, rng), after=[])
    edit = judge(seen_again(case, world.seen(world.with_change(goal), EXACT, rng)), FAIR)
    kept = comparing.kept_outside(case, edit, profile=FAIR, size=whole_size(world.height, world.width))
    assert edit.change.result is not None
    return kept, [edit.change.origin.found.bbox_2d, edit.change.result.bbox_2d]


def inside(rectangle: np.ndarray) -> tuple[slice, slice]:
    x1, y1, x2, y2 = rectangle
    return slice(math.floor(y1), math.ceil(y2)), slice(math.floor(x1), math.ceil(x2))


@given(sizes, st.integers(0, 2**32 - 1))
@FEW
def test_whatever_happens_inside_the_targets_boxes_costs_nothing_at_any_image_size(size, seed):
    kept, rectangles = moved(random_world(np.random.default_rng(seed), count=1, twins=0, size=size))
    assume(kept.mean() >= comparing.LEAST_KEPT)
    original = noise(size)
    changed = original.copy()
    for rectangle in rectangles:
        changed[inside(rectangle)] = 255 - changed[inside(rectangle)]
    found = compared(original, changed, kept)
    assert found.distance == pytest.approx(0, abs=1e-9)
    assert found.similarity == pytest.approx(1, abs=1e-6)


@given(sizes, st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1), st.integers(8, 64))
@FEW
def test_a_changed_block_outside_the_boxes_costs_locality_wherever_it_lies(size, seed, down, right, side):
    kept, rectangles = moved(random_world(np.random.default_rng(seed), count=1, twins=0, size=size))
    assume(kept.mean() >= comparing.LEAST_KEPT)
    top, left = int(down * (size[0] - side)), int(right * (size[1] - side))
    margin = REACH * max(size) / 896 + 2
    for x1, y1, x2, y2 in rectangles:
        apart = left + side < x1 - margin or left > x2 + margin or top + side < y1 - margin or top > y2 + margin
        assume(apart)
    original = noise(size)
    changed = original.copy()
    changed[top : top + side, left : left + side] = 255 - changed[top : top + side, left : left + side]
    assert compared(original, changed, kept).distance > 1e-5


@pytest.mark.parametrize("size", [(640, 512), (1024, 1536)])
@pytest.mark.parametrize("corner", ["left top", "right top", "left bottom", "right bottom"])
def test_a_small_change_in_any_corner_is_seen(size, corner):
    original = noise(size)
    changed = original.copy()
    rows = slice(0, 12) if "top" in corner else slice(size[0] - 12, None)
    columns = slice(0, 12) if "left" in corner else slice(size[1] - 12, None)
    changed[rows, columns] = 255 - changed[rows, columns]
    assert compared(original, changed).distance > 1e-5


@pytest.mark.parametrize(("size", "padding"), [((768, 1024), 0.125)])
def test_padding_counts_under_the_official_profile_and_never_under_the_fair_one(size, padding):
    one, other = (np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8) for seed in (1, 2))
    fair, official = (compared(one, other, profile=profile) for profile in (FAIR, OFFICIAL))
    assert fair.similarity < 0.1
    assert official.similarity == pytest.approx(padding, abs=0.1)
    assert official.similarity > fair.similarity + 0.8 * padding
    assert official.distance < (1 - 0.8 * padding) * fair.distance


@pytest.mark.parametrize("original", ["noise", "black", "white"])
@pytest.mark.parametrize("changed", ["noise", "black", "white", "grey"])
def test_every_number_of_a_constant_picture_is_finite_and_within_its_range(original, changed):
    size = (512, 640)
    pictures = {
        name: np.full((*size, 3), value, np.uint8) for name, value in (("black", 0), ("white", 255), ("grey", 9))
    }
    pictures["noise"] = noise(size)
    found = compared(pictures[original], pictures[changed])
    assert -1 <= found.similarity <= 1
    assert 0 <= found.distance <= 1
    if original == changed:
        assert found.distance == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("part", "distance"), [(0.0, 1.0), (0.09, 1.0), (0.11, 0.0)])
def test_boxes_over_nearly_everything_say_nothing_was_left_alone(part, distance):
    kept = np.zeros((512, 640), dtype=np.bool_)
    kept[: int(512 * part)] = True
    picture = noise((512, 640))
    found = compared(picture, picture, kept)
    assert found.distance == pytest.approx(distance, abs=1e-9)
    assert found.similarity == pytest.approx(1 - distance, abs=1e-6)
