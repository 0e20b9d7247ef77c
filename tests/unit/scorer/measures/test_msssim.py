from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from skimage.transform import resize

from scorer.measures.msssim import REACH, MsSsim, distance_map

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (96, 128, 3), dtype=np.uint8)


def distances(a, b):
    x, y = (torch.tensor(image).permute(2, 0, 1)[None].double() for image in (a, b))
    return distance_map(x, y)[0].numpy()


def test_an_image_has_no_distance_from_itself():
    found = distances(IMAGE, IMAGE)
    assert found.shape == (96, 128)
    assert (found == 0).all()


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
    assert np.abs(distances(IMAGE, other) - np.clip(expected, 0, 1)).max() < 1e-9


@settings(max_examples=40, deadline=None)
@given(x=st.integers(0, 127), y=st.integers(0, 95), flip=st.integers(1, 255))
def test_a_difference_is_seen_no_farther_than_its_reach(x, y, flip):
    other = IMAGE.copy()
    other[y, x] ^= np.uint8(flip)
    rows, columns = np.nonzero(distances(IMAGE, other) > 1e-12)
    assert max(np.abs(rows - y).max(), np.abs(columns - x).max()) <= REACH


def test_the_distance_grows_with_the_noise():
    noise = RNG.normal(0, 1, IMAGE.shape)
    found = [
        distances(IMAGE, np.clip(IMAGE + level * noise, 0, 255).astype(np.uint8)).mean()
        for level in (0, 5, 10, 20, 40, 80)
    ]
    assert found == sorted(found)
    assert found[0] < found[1]


@settings(max_examples=30, deadline=None)
@given(height=st.integers(28, 70), width=st.integers(28, 70), a=st.integers(0, 255), b=st.integers(0, 255))
def test_every_size_and_every_flat_picture_gives_a_finite_map_in_range(height, width, a, b):
    found = distances(np.full((height, width, 3), a, np.uint8), np.full((height, width, 3), b, np.uint8))
    assert found.shape == (height, width)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_mean_over_a_mask_is_that_of_the_map():
    other = np.clip(IMAGE + RNG.normal(0, 30, IMAGE.shape), 0, 255).astype(np.uint8)
    kept = RNG.random((96, 128)) < 0.5
    instrument = MsSsim()
    one, two = (
        instrument.features(torch.tensor(image).permute(2, 0, 1)[None].float() / 127.5 - 1) for image in (IMAGE, other)
    )
    mean = float(instrument.mean_distance(one, two, kept=torch.from_numpy(kept)))
    assert mean == pytest.approx(distances(IMAGE, other)[kept].mean(), abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 3, 27, 40), (1, 4, 40, 40), (3, 40, 40)])
def test_images_too_small_for_the_coarsest_scale_or_without_three_channels_are_refused(shape):
    with pytest.raises(ValueError, match="at least 28"):
        MsSsim().features(torch.zeros(shape))
