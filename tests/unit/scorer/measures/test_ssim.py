from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

import scorer.measures.ssim
from scorer.measures.ssim import mean_similarity, moments, ssim_map


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


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_the_mean_over_a_mask_is_that_of_the_map(dtype, tolerance):
    generator = torch.Generator().manual_seed(5)
    x = torch.rand((3, 40, 53), generator=generator, dtype=dtype) * 255
    y = (x + 40 * torch.rand((3, 40, 53), generator=generator, dtype=dtype)).clamp(0, 255)
    kept = torch.ones(40, 53, dtype=torch.bool)
    kept[5:20, :30] = False
    found = mean_similarity(x, y, moments=moments(x), kept=kept, data_range=200.0)
    expected = ssim_map(x[None].double(), y[None].double(), data_range=200.0)[0][:, kept].mean()
    assert found == pytest.approx(float(expected), abs=tolerance)


@pytest.mark.parametrize(
    ("value", "dtype"), [(48.0, torch.float32), (123.675, torch.float32), (7.1, torch.float32), (48.0, torch.float64)]
)
def test_two_constant_windows_without_a_data_range_have_no_similarity_unless_masked(dtype, value):
    x = torch.rand((3, 30, 30), generator=torch.Generator().manual_seed(6), dtype=dtype) * 255
    x[:, :12, :12] = 37.0
    y = torch.full_like(x, value)
    kept = torch.ones(30, 30, dtype=torch.bool)
    assert math.isnan(mean_similarity(x, y, moments=moments(x), kept=kept, data_range=0.0))
    kept[:12, :12] = False
    assert mean_similarity(x, y, moments=moments(x), kept=kept, data_range=0.0) == pytest.approx(0, abs=1e-5)


def test_without_kept_pixels_there_is_no_similarity():
    x = torch.ones(3, 9, 9)
    nothing = torch.zeros(9, 9, dtype=torch.bool)
    assert math.isnan(mean_similarity(x, x, moments=moments(x), kept=nothing, data_range=1.0))


def test_moments_of_images_that_are_too_small_and_masks_of_another_size_are_refused():
    x = torch.ones(3, 9, 9)
    with pytest.raises(ValueError, match="at least 7"):
        moments(x[:, :6])
    with pytest.raises(ValueError, match="sizes differ"):
        mean_similarity(x, x, moments=moments(x), kept=torch.ones(9, 8, dtype=torch.bool), data_range=1.0)
