from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from skimage.transform import resize

from scorer.measures.msssim import REACH, compare

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (96, 128, 3), dtype=np.uint8)


def test_an_image_has_no_distance_from_itself():
    found = compare(IMAGE, IMAGE)
    assert found.similarity.shape == found.distance.shape == (96, 128)
    assert (found.distance == 0).all()
    assert (found.similarity == 1).all()


def test_the_map_is_the_mean_over_three_scales_of_an_independent_ssim():
    other = np.clip(IMAGE + RNG.normal(0, 30, IMAGE.shape), 0, 255).astype(np.uint8)
    expected = np.zeros((96, 128))
    for scale in (1, 2, 4):
        a, b = (
            image.astype(np.float64).reshape(96 // scale, scale, 128 // scale, scale, 3).mean(axis=(1, 3))
            for image in (IMAGE, other)
        )
        _, full = structural_similarity(a, b, data_range=255, channel_axis=2, full=True)
        dissimilar = 1 - full.mean(axis=2)
        expected += resize(dissimilar, (96, 128), order=1, mode="edge", anti_aliasing=False) / 3
    assert np.abs(compare(IMAGE, other).distance - np.clip(expected, 0, 1)).max() < 1e-9


@settings(max_examples=40, deadline=None)
@given(x=st.integers(0, 127), y=st.integers(0, 95), flip=st.integers(1, 255))
def test_a_difference_is_seen_no_farther_than_its_reach(x, y, flip):
    other = IMAGE.copy()
    other[y, x] ^= np.uint8(flip)
    rows, columns = np.nonzero(compare(IMAGE, other).distance > 1e-12)
    assert max(np.abs(rows - y).max(), np.abs(columns - x).max()) <= REACH


def test_the_distance_grows_with_the_noise():
    noise = RNG.normal(0, 1, IMAGE.shape)
    distances = [
        compare(IMAGE, np.clip(IMAGE + level * noise, 0, 255).astype(np.uint8)).distance.mean()
        for level in (0, 5, 10, 20, 40, 80)
    ]
    assert distances == sorted(distances)
    assert distances[0] < distances[1]


@settings(max_examples=30, deadline=None)
@given(height=st.integers(28, 70), width=st.integers(28, 70), a=st.integers(0, 255), b=st.integers(0, 255))
def test_every_size_and_every_flat_picture_gives_finite_maps_in_range(height, width, a, b):
    found = compare(np.full((height, width, 3), a, np.uint8), np.full((height, width, 3), b, np.uint8))
    assert found.distance.shape == (height, width)
    assert np.isfinite(found.distance).all()
    assert np.isfinite(found.similarity).all()
    assert found.distance.min() >= 0
    assert found.distance.max() <= 1


@pytest.mark.parametrize("shape", [(96, 127, 3), (96, 128), (96, 128, 4)])
def test_images_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match="one size"):
        compare(IMAGE, np.zeros(shape, np.uint8))


def test_images_too_small_for_the_coarsest_scale_are_refused():
    with pytest.raises(ValueError, match="at least 28"):
        compare(IMAGE[:27], IMAGE[:27])
