"""Small renderings (64 x 48); they need Mitsuba, the extra `blocks`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from infra.blocks.edits import Move
from infra.blocks.generate import fresh_scene
from infra.blocks.render import render
from infra.blocks.scene import Pose
from scorer.blocks.world import COLOURS, MARKER_X, MARKER_Z

from .making import block, scene

pytest.importorskip("mitsuba", reason="rendering needs Mitsuba 3, the extra `blocks`")

SCALE = 0.125
LARGE = scene(block(-0.16, 0.75, size=(0.14, 0.1, 0.1)), block(0.17, 0.8, colour="green", size=(0.1, 0.1, 0.14)))


def small(a_scene, *, seed=1):
    return render(a_scene, seed=seed, samples=16, scale=SCALE).astype(int)


@pytest.fixture(scope="module")
def picture():
    return small(LARGE)


def at(picture, a_scene, index, local):
    """The pixel that shows a point of a block, given as shares of its size."""
    box = a_scene.boxes()[index]
    point = box.bbox_3d[:3] + box.rotation_matrix @ (np.array(local) * box.bbox_3d[3:6])
    x, y = (a_scene.camera.project(point) * SCALE).astype(int)
    return picture[y, x]


def test_the_same_seed_renders_the_same_pixels(picture):
    assert np.array_equal(picture, small(LARGE))


def test_another_seed_differs_in_grain_only(picture):
    difference = np.abs(picture - small(LARGE, seed=2))
    assert 0 < difference.mean() < 2


def test_a_block_is_seen_where_its_box_is_and_in_its_colour(picture):
    for index, colour in ((0, "red"), (1, "green")):
        seen = at(picture, LARGE, index, (0, -0.5, 0.15))
        assert seen.argmax() == np.argmax(COLOURS[colour])
        assert seen.max() > 2 * np.sort(seen)[1]


def test_the_marker_is_seen_near_the_front_of_the_top(picture):
    place = (sum(MARKER_X) / 2, -0.5, sum(MARKER_Z) / 2)
    for index in range(2):
        seen = at(picture, LARGE, index, place)
        assert seen.min() > 150
        assert seen.max() - seen.min() < 60


def test_nothing_but_blocks_is_saturated(picture):
    empty = small(replace(LARGE, blocks=()))
    assert (empty.max(axis=-1) - empty.min(axis=-1)).max() < 60
    assert ((picture.max(axis=-1) - picture.min(axis=-1)) > 90).mean() > 0.03


def test_no_colour_is_clipped(picture):
    assert picture.max() < 255


def test_an_edit_changes_the_picture_where_the_block_was_and_is_only(picture):
    far_left = np.abs(small(Move(1, 0.03, 0.0).apply(LARGE)) - picture)[:, :20]
    moved = np.abs(small(Move(1, 0.03, 0.0).apply(LARGE)) - picture)[:, 32:]
    assert far_left.max() <= 2
    assert moved.max() > 60


def test_a_camera_that_turned_sees_what_the_boxes_say():
    turned = replace(LARGE, pose=Pose(pan=float(np.radians(6)), x=0.03))
    seen = at(small(turned), turned, 1, (0, -0.5, 0.15))
    assert seen.argmax() == 1
    assert turned.boxes()[1].bbox_3d[0] < LARGE.boxes()[1].bbox_3d[0]


def test_a_fresh_scene_comes_with_its_exact_truth():
    fresh = fresh_scene(5, "room", blocks=2, twins=0, scale=SCALE)
    assert fresh.image.shape == (48, 64, 3)
    assert len(fresh.labels) == len(fresh.boxes) == 2
    for label, box in zip(fresh.labels, fresh.boxes, strict=True):
        x, y = (fresh.camera.project(box.bbox_3d[:3]) * SCALE).astype(int)
        pixel = fresh.image[y, x].astype(int)
        assert pixel.max() - pixel.min() > 60, label
