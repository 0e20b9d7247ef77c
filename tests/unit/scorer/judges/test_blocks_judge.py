from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from scorer.blocks.camera import Camera
from scorer.detectors.port import Detection, Image
from scorer.judges.blocks import BlocksJudge
from scorer.judges.port import Judgement, Question, Subject
from tests.unit.scorer.blocks.drawing import Cuboid, Scene, draw, footprint, tabletop_camera

CAMERA = tabletop_camera()
RED = Cuboid("red", 0.1, 0.85, 0.4, (0.1, 0.07, 0.07))
BLUE = Cuboid("blue", -0.2, 0.95, -0.8, (0.08, 0.09, 0.06))
BEFORE = Scene(CAMERA, (RED, BLUE))
MOVED = RED.moved(x=0.08, z=0.1, yaw=1.2, factor=0.9)


def detection(cuboid: Cuboid, camera: Camera = CAMERA) -> Detection:
    box = cuboid.box(camera)
    return Detection(cuboid.colour, box.bbox_3d, np.zeros(4), box.rotation_matrix, 1.0)


def judge(edited: Image, *, operation: str = "move", after: Cuboid | None = MOVED, blue: Cuboid = BLUE) -> Judgement:
    question = Question(
        key="",
        original=draw(BEFORE, seed=1),
        edited=edited,
        operation=operation,
        instruction="",
        camera=CAMERA.data,
        target=Subject(detection(RED), None if after is None else detection(after)),
        others=[Subject(detection(BLUE), detection(blue))],
    )
    (answer,) = BlocksJudge().judge_all([question])
    return answer


def edited_image(*cuboids: Cuboid, inside: Callable[[Image], Image] | None = None) -> Image:
    """The scene with these cuboids; ``inside`` changes the pixels of the first."""
    image = draw(Scene(CAMERA, cuboids), seed=2)
    if inside is not None:
        mask = footprint(CAMERA, cuboids[0])
        assert mask is not None
        image = np.where(mask[..., None] > 0, inside(image), image)
    return image


@pytest.mark.parametrize(
    "after",
    [
        RED.moved(x=0.1),
        RED.moved(x=-0.05, z=0.25),
        RED.moved(yaw=np.radians(90)),
        RED.moved(yaw=np.radians(-165)),
        RED.moved(factor=1.5),
        RED.moved(factor=0.7),
    ],
    ids=["moved", "moved away", "turned", "turned far", "larger", "smaller"],
)
def test_the_same_object_elsewhere_scores_near_ten(after):
    found = judge(edited_image(after, BLUE), after=after).score
    assert found is not None
    assert found > 9.5


@pytest.mark.parametrize("colour", ["orange", "purple", "green", "teal"])
def test_another_colour_scores_near_zero(colour):
    found = judge(edited_image(replace(MOVED, colour=colour), BLUE)).score
    assert found is not None
    assert found < 1


@pytest.mark.parametrize("light", [0.75, 1.2])
def test_other_light_costs_nothing(light):
    brighter = np.clip(edited_image(MOVED, BLUE) * light, 0, 255).astype(np.uint8)
    found = judge(brighter).score
    assert found is not None
    assert found > 9


def smear(image: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 8), dtype=np.uint8)


def grain(image: Image) -> Image:
    return np.clip(image + np.random.default_rng(3).normal(0, 60, image.shape), 0, 255).astype(np.uint8)


def check_pattern(image: Image) -> Image:
    ys, xs = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.where((((ys // 5) + (xs // 5)) % 2)[..., None] > 0, image, image // 4)


@pytest.mark.parametrize("damage", [smear, grain, check_pattern])
def test_a_spoilt_surface_scores_low(damage):
    found = judge(edited_image(MOVED, BLUE, inside=damage)).score
    assert found is not None
    assert found < 4


def test_a_lost_marker_costs_the_likeness():
    def cover(image: Image) -> Image:
        white = cv2.dilate((image.min(axis=2) > 110).astype(np.uint8), np.ones((5, 5), np.uint8))
        plain = np.median(image[(footprint(CAMERA, MOVED) > 0) & (white == 0)], axis=0)
        return np.where(white[..., None] > 0, plain, image).astype(np.uint8)

    found = judge(edited_image(MOVED, BLUE, inside=cover)).score
    assert found is not None
    assert found < 5


def test_a_gentle_softening_costs_little_and_a_heavy_one_much():
    image = edited_image(MOVED, BLUE)
    gentle, heavy = (judge(cv2.GaussianBlur(image, (0, 0), sigma)).score for sigma in (0.8, 3.5))
    assert gentle is not None
    assert heavy is not None
    assert gentle > 9
    assert heavy < 5


def test_an_object_that_is_gone_scores_zero_and_is_named():
    judgement = judge(edited_image(BLUE), after=None)
    assert judgement.score == 0
    assert "red" in judgement.reason


def test_an_object_too_small_to_compare_has_no_score():
    far = replace(RED, z=30.0)
    assert judge(edited_image(BLUE), after=far).score is None


def test_a_clean_removal_scores_near_ten():
    found = judge(edited_image(BLUE), operation="remove", after=None).score
    assert found is not None
    assert found > 9.5


def hole(image: Image) -> Image:
    mask = footprint(CAMERA, RED)
    return np.where(mask[..., None] > 0, 0, image).astype(np.uint8)


def ghost(image: Image) -> Image:
    return np.asarray(cv2.addWeighted(image, 0.6, draw(BEFORE, seed=1), 0.4, 0), dtype=np.uint8)


def static(image: Image) -> Image:
    mask = footprint(CAMERA, RED)
    return np.where(mask[..., None] > 0, grain(image), image).astype(np.uint8)


@pytest.mark.parametrize("damage", [hole, ghost, static])
def test_a_badly_filled_place_scores_low(damage):
    found = judge(damage(edited_image(BLUE)), operation="remove", after=None).score
    assert found is not None
    assert found < 3


def test_a_removal_that_recolours_a_neighbour_scores_low():
    found = judge(edited_image(replace(BLUE, colour="yellow")), operation="remove", after=None).score
    assert found is not None
    assert found < 1


def test_an_object_that_is_still_there_is_no_removal():
    assert judge(edited_image(RED, BLUE), operation="remove", after=RED).score == 0


def test_a_change_of_view_is_judged_on_every_object():
    turned = Scene(CAMERA, (RED.moved(x=-0.05), BLUE.moved(x=-0.05)))
    half = Scene(CAMERA, (RED.moved(x=-0.05), replace(BLUE.moved(x=-0.05), colour="yellow")))
    whole_score, half_score = (
        judge(draw(scene, seed=2), operation="view", after=RED.moved(x=-0.05), blue=BLUE.moved(x=-0.05)).score
        for scene in (turned, half)
    )
    assert whole_score is not None
    assert half_score is not None
    assert whole_score > 9.5
    assert 4 < half_score < 6


def test_images_of_different_sizes_are_not_judged():
    assert judge(np.zeros((10, 10, 3), dtype=np.uint8)).score is None


@pytest.mark.parametrize("operation", ["move", "remove", "view"])
@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_image_is_judged_without_a_fault(operation, level):
    blank = np.full((384, 512, 3), level, dtype=np.uint8)
    found = judge(blank, operation=operation, after=None if operation == "remove" else MOVED).score
    assert found is not None
    assert 0 <= found < 1
