from __future__ import annotations

import numpy as np
import pytest

from scorer.measures.masks import outside


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
