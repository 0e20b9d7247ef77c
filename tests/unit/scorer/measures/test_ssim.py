from __future__ import annotations

import doctest

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

import scorer.measures.ssim
from scorer.measures.ssim import ssim_map


def pair(dtype, *, height=40, width=53, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.uniform(0, 255, (height, width, 3))
    b = np.clip(a + rng.normal(0, 25, a.shape), 0, 255)
    return a.astype(dtype), b.astype(dtype)


def tensor(image):
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-11), (np.float32, 1e-5)])
@pytest.mark.parametrize("data_range", [255.0, 100.0])
def test_the_map_is_that_of_an_independent_implementation(dtype, tolerance, data_range):
    a, b = pair(dtype)
    _, expected = structural_similarity(a, b, data_range=data_range, channel_axis=2, full=True)
    found = ssim_map(tensor(a), tensor(b), data_range=data_range)[0].permute(1, 2, 0).numpy()
    assert found.dtype == dtype
    assert np.abs(found - expected).max() < tolerance


def test_images_of_a_batch_do_not_see_each_other():
    (a, b), (c, d) = pair(np.float64, seed=1), pair(np.float64, seed=2)
    together = ssim_map(torch.cat([tensor(a), tensor(c)]), torch.cat([tensor(b), tensor(d)]), data_range=255)
    alone = [ssim_map(tensor(x), tensor(y), data_range=255) for x, y in ((a, b), (c, d))]
    assert torch.equal(together, torch.cat(alone))


def test_the_order_of_the_images_does_not_matter():
    a, b = pair(np.float64)
    assert torch.equal(ssim_map(tensor(a), tensor(b), data_range=255), ssim_map(tensor(b), tensor(a), data_range=255))


def test_an_image_is_wholly_like_itself_even_where_it_is_flat():
    a = np.full((9, 9, 3), 7.0)
    assert (ssim_map(tensor(a), tensor(a), data_range=255) == 1).all()


@pytest.mark.parametrize(
    ("x", "y", "data_range"),
    [
        (torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9), 255.0),
        (torch.zeros(3, 8, 8), torch.zeros(3, 8, 8), 255.0),
        (torch.zeros(1, 3, 6, 8), torch.zeros(1, 3, 6, 8), 255.0),
        (torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8), 0.0),
    ],
)
def test_what_has_no_map_is_refused(x, y, data_range):
    with pytest.raises(ValueError):
        ssim_map(x, y, data_range=data_range)


def test_the_example_in_the_module_holds():
    assert doctest.testmod(scorer.measures.ssim).failed == 0
