"""Each deviation that is about pictures, switched alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from benchmarks.simulation import EXACT, case_of, edited, random_world, seen_again
from scorer import comparing
from scorer.comparing import NOTHING, Preparation, Rest
from scorer.deviations import FAIR, OFFICIAL, Deviation, Profile
from scorer.measures.msssim import MsSsim
from scorer.measures.port import Perceptual
from scorer.official.imaging import UnmeasurableError
from scorer.rules import judge

SIZE = (480, 640)


class RedDistance:
    """The mean difference of the first channel: what a network takes for red."""

    name = "red-1"
    sha256 = None

    def features(self, images):
        return [images[:, 0]]

    def mean_distance(self, one, other, *, kept):
        return ((one[0] - other[0]).abs() * kept).sum(dim=(1, 2)) / kept.sum().clamp(min=1)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def on(deviation: Deviation) -> Profile:
    return Profile("alone", frozenset({deviation}))


def off(deviation: Deviation) -> Profile:
    return Profile("without", FAIR.deviations - {deviation})


def four(deviation: Deviation) -> tuple[Profile, Profile, Profile, Profile]:
    """Without it, in the official and the fair company; with it, in the same order."""
    return OFFICIAL, off(deviation), on(deviation), FAIR


def picture(*, high: int = 256, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, (*SIZE, 3), dtype=np.uint8)


def compared(
    original: np.ndarray,
    changed: np.ndarray,
    profile: Profile,
    *,
    part: float = 1.0,
    network: Perceptual | None = None,
) -> Rest:
    network = network or MsSsim()
    share = Preparation.of(profile).share(original, network)
    kept = comparing.everything(tuple(share.image.shape[1:]))
    kept[int(len(kept) * part) :] = False
    return comparing.compare(share, changed, kept=kept, profile=profile, network=network)


def test_only_the_whole_scene_shows_what_happens_in_the_far_corner_of_a_small_picture():
    original = picture()
    changed = original.copy()
    changed[-100:, -150:] = 0
    unseen, seen = np.split(np.array([compared(original, changed, p).distance for p in four(Deviation.WHOLE_SCENE)]), 2)
    assert unseen == pytest.approx(0, abs=1e-6)
    assert (seen > 0.02).all()


def test_whole_scene_leaves_a_picture_of_the_frames_own_size_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (896, 896, 3), dtype=np.uint8)
    official, whole = (Preparation.of(profile).image(image) for profile in (OFFICIAL, on(Deviation.WHOLE_SCENE)))
    assert torch.allclose(official, whole, atol=1e-3)


def test_colours_lets_the_network_see_red_as_red():
    original = picture(high=100)
    red = original + np.array([100, 0, 0], dtype=np.uint8)
    distances = [compared(original, red, p, network=RedDistance()).distance for p in four(Deviation.COLOURS)]
    assert distances[:2] == pytest.approx([0, 0], abs=1e-4)
    assert distances[2:] == pytest.approx([100 / 127.5] * 2, abs=0.01)


def test_colours_does_not_take_a_nearly_black_picture_for_one_of_full_contrast():
    dark, black = np.kron(picture(high=2)[::16, ::16], np.ones((16, 16, 1), np.uint8)), np.zeros((*SIZE, 3), np.uint8)
    found = [compared(dark, black, profile).distance for profile in four(Deviation.COLOURS)]
    assert min(found[:2]) > 0.2
    assert max(found[2:]) < 0.2


def test_finite_says_that_nothing_was_left_alone_where_nothing_is_kept():
    image = picture()
    for profile in (OFFICIAL, off(Deviation.FINITE)):
        found = compared(image, image, profile, part=0.0)
        assert math.isnan(found.similarity)
        assert found.distance == 0
    for profile in (on(Deviation.FINITE), FAIR):
        assert compared(image, image, profile, part=0.0) == NOTHING


@pytest.mark.parametrize("deviation", [Deviation.FINITE, Deviation.TARGET_MASK, Deviation.NO_ABORT])
def test_what_is_not_about_preparing_pictures_leaves_a_plain_comparison_alone(deviation):
    original, changed = picture(), picture(seed=1)
    for base, other in ((OFFICIAL, on(deviation)), (FAIR, off(deviation))):
        assert compared(original, changed, base) == pytest.approx(compared(original, changed, other), abs=1e-9)


def test_target_mask_leaves_out_the_target_whatever_else_is_new_and_whatever_the_order():
    rng = np.random.default_rng(3)
    world = random_world(rng, count=2, size=SIZE)
    goal = edited(world.target, "move", np.array([0.5, 0.0, 0.0]))
    stranger = edited(world.things[1], "move", np.array([0.0, 0.0, 1.0]))
    after = world.seen([goal], EXACT, rng) + world.seen([stranger], EXACT, rng)
    case = case_of(world, "move", goal, before=world.seen(world.things, EXACT, rng), after=[])
    x1, y1, x2, y2 = after[0].bbox_2d
    middle = (int((y1 + y2) / 2), int((x1 + x2) / 2))
    for profile in (FAIR, off(Deviation.TARGET_MASK)):
        kept = []
        for order in (after, after[::-1]):
            asked = seen_again(case, order)
            kept.append(comparing.kept_outside(asked, judge(asked, profile), profile=profile, size=SIZE)[middle])
        assert kept == ([False, False] if Deviation.TARGET_MASK in profile else [True, False])


def test_target_mask_lets_nothing_of_what_is_left_out_leak_over_the_edge():
    original = np.full((*SIZE, 3), 128, np.uint8)
    changed = original.copy()
    changed[240:] = picture()[240:]
    leaking, tight = (compared(original, changed, p, part=0.5).distance for p in (off(Deviation.TARGET_MASK), FAIR))
    assert leaking > 1e-3
    assert tight == pytest.approx(0, abs=1e-9)


def test_a_picture_too_small_to_be_compared_says_so():
    with pytest.raises(UnmeasurableError, match="pixels a side"):
        Preparation.of(FAIR).share(np.zeros((20, 20, 3), np.uint8), MsSsim())
