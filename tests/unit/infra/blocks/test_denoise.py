from __future__ import annotations

import numpy as np
import pytest

from infra.blocks.denoise import Guides, denoised

SIZE = (48, 64)


def plane() -> np.ndarray:
    """Positions on a wall two metres away."""
    ys, xs = np.mgrid[: SIZE[0], : SIZE[1]] / 50
    return np.stack([xs, ys, np.full(SIZE, 2.0)], axis=-1).astype(np.float32)


def guides(albedo: np.ndarray, *, normal: np.ndarray | None = None) -> Guides:
    if normal is None:
        normal = np.broadcast_to(np.float32([0, 0, -1]), (*SIZE, 3))
    return Guides(albedo=albedo.astype(np.float32), normal=normal.astype(np.float32), position=plane())


def textured(rng: np.random.Generator) -> np.ndarray:
    return np.repeat(rng.uniform(0.3, 0.8, (*SIZE, 1)), 3, axis=-1)


def test_grain_of_the_light_is_taken_out():
    rng = np.random.default_rng(1)
    albedo = np.full((*SIZE, 3), 0.5)
    noisy = albedo * (0.8 + rng.normal(0, 0.04, (*SIZE, 1)))
    quiet = denoised(noisy.astype(np.float32), guides(albedo))
    assert np.std(quiet) < np.std(noisy) / 5
    assert quiet.mean() == pytest.approx(noisy.mean(), rel=0.005)


def test_a_texture_in_even_light_stays_to_the_last_detail():
    albedo = textured(np.random.default_rng(2))
    light = (0.9 * albedo).astype(np.float32)
    assert denoised(light, guides(albedo)) == pytest.approx(light, abs=1e-5)


def test_light_does_not_leak_across_an_edge_between_surfaces():
    albedo = np.full((*SIZE, 3), 0.5)
    normal = np.zeros((*SIZE, 3))
    normal[:, :32, 2], normal[:, 32:, 0] = -1, 1
    light = albedo * np.where(np.arange(SIZE[1]) < 32, 0.8, 0.7)[None, :, None]
    result = denoised(light.astype(np.float32), guides(albedo, normal=normal))
    assert result == pytest.approx(light, abs=1e-5)


def test_a_shadow_with_a_hard_edge_keeps_it():
    albedo = np.full((*SIZE, 3), 0.5)
    light = albedo * np.where(np.arange(SIZE[1]) < 32, 1.0, 0.3)[None, :, None]
    result = denoised(light.astype(np.float32), guides(albedo))
    assert np.abs(result - light).max() < 0.01
