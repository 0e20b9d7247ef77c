from dataclasses import replace

import cv2
import numpy as np
import pytest

from scorer.blocks.world import COLOURS
from scorer.detectors.blocks.segmentation import MAX_REGIONS, segment
from tests.unit.scorer.blocks.drawing import Cuboid, Scene, draw, tabletop_camera


def scene(*cuboids: Cuboid) -> Scene:
    return Scene(tabletop_camera(), cuboids)


@pytest.mark.parametrize("colour", list(COLOURS))
def test_every_colour_is_recognised(colour):
    regions = segment(draw(scene(Cuboid(colour, 0.0, 0.9, 0.5, (0.1, 0.08, 0.07)))))
    assert [region.colour for region in regions] == [colour]
    assert regions[0].solidity > 0.9
    assert not regions[0].cut


def test_grey_and_pale_wood_make_no_region():
    wood = replace(scene(), ground=(206, 178, 142))
    assert segment(draw(wood, noise=3)) == []


def test_two_objects_of_one_colour_six_pixels_apart_stay_two():
    image = np.full((384, 512, 3), 150, dtype=np.uint8)
    cv2.rectangle(image, (100, 200), (140, 240), COLOURS["red"], -1)
    cv2.rectangle(image, (147, 200), (190, 240), COLOURS["red"], -1)
    assert len(segment(image)) == 2


def test_a_region_at_the_border_is_said_to_be_cut():
    image = np.full((384, 512, 3), 150, dtype=np.uint8)
    cv2.rectangle(image, (0, 200), (60, 260), COLOURS["blue"], -1)
    (region,) = segment(image)
    assert region.cut


def test_specks_make_no_region():
    image = np.full((384, 512, 3), 150, dtype=np.uint8)
    image[50:300:20, 40:400:20] = COLOURS["green"]
    assert segment(image) == []


def test_confetti_is_bounded():
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.integers(0, 256, (32, 48, 3), dtype=np.uint8), (512, 384), interpolation=cv2.INTER_NEAREST)
    assert 0 < len(segment(image)) <= MAX_REGIONS
