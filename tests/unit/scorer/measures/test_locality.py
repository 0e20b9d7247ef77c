from __future__ import annotations

import numpy as np
import pytest

from scorer.measures.locality import LEAST_KEPT, locality, outside
from scorer.measures.msssim import REACH, Comparison, compare


def test_every_pixel_that_a_box_touches_is_inside():
    kept = outside([[2.5, 1.0, 4.2, 3.0]], height=6, width=8, margin=0)
    expected = np.ones((6, 8), dtype=bool)
    expected[1:3, 2:5] = False
    assert (kept == expected).all()


def test_the_margin_widens_a_box_on_all_sides():
    assert (
        outside([[4, 4, 5, 5]], height=9, width=9, margin=2) == outside([[2, 2, 7, 7]], height=9, width=9, margin=0)
    ).all()


@pytest.mark.parametrize("box", [[-50, -50, -20, -20], [100, 100, 120, 120]])
def test_a_box_outside_the_image_hides_nothing(box):
    assert outside([box], height=6, width=8, margin=0).all()


def test_without_boxes_everything_is_kept():
    assert outside([], height=3, width=4).all()


def test_the_means_are_over_the_kept_pixels_alone():
    similarity, distance = np.full((4, 5), 0.9), np.full((4, 5), 0.1)
    similarity[0], distance[0] = -1.0, 1.0
    kept = np.ones((4, 5), dtype=bool)
    kept[0] = False
    found = locality(Comparison(similarity, distance), kept=kept)
    assert found == pytest.approx((0.9, 0.1, 0.75))


def test_a_box_over_almost_everything_earns_nothing():
    kept = np.zeros((10, 10), dtype=bool)
    kept[0, : int(100 * LEAST_KEPT) - 1] = True
    found = locality(Comparison(np.ones((10, 10)), np.zeros((10, 10))), kept=kept)
    assert (found.similarity, found.distance) == (0.0, 1.0)


def test_an_edit_inside_its_box_leaves_locality_perfect():
    rng = np.random.default_rng(0)
    original = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
    edited = original.copy()
    edited[40:50, 60:75] = 0
    kept = outside([[60, 40, 75, 50]], height=96, width=128, margin=REACH)
    found = locality(compare(original, edited), kept=kept)
    assert found.distance == pytest.approx(0, abs=1e-12)
    assert found.similarity == pytest.approx(1, abs=1e-12)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        locality(Comparison(np.ones((4, 4)), np.ones((4, 4))), kept=np.ones((4, 5), dtype=bool))
