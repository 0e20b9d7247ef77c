"""Takes the grain out of a rendering without touching its edges, guided by what the renderer knows exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

_KERNEL = (1 / 16, 1 / 4, 3 / 8, 1 / 4, 1 / 16)
_ALBEDO_REACH = 0.06
_NORMAL_REACH = 0.25
_PLANE_REACH = 0.01
_LIGHT_REACH = 0.26
_LEAST_ALBEDO = 0.02


@dataclass(frozen=True, eq=False)
class Guides:
    """What every pixel shows, free of noise, (h, w, 3) each: ``albedo``, ``normal``, ``position`` (from the camera)."""

    albedo: Array
    normal: Array
    position: Array


def denoised(light: Array, guides: Guides, *, rounds: int = 3) -> Array:
    """Linear light (h, w, 3) with its illumination smoothed along surfaces; textures and edges stay.

    An edge-avoiding a-trous wavelet filter (Dammertz et al., 2010) on light divided by albedo: each round averages
    5 x 5 pixels twice as far apart as the last one, as long as they lie on the same surface and are about as bright.
    """
    albedo = np.maximum(guides.albedo, _LEAST_ALBEDO)
    illumination: Array = (light / albedo).astype(np.float32)
    for number in range(rounds):
        illumination = _smoothed(illumination, guides, step=2**number, reach=_LIGHT_REACH / 2**number)
    return np.asarray(illumination * albedo, dtype=np.float32)


def _smoothed(light: Array, guides: Guides, *, step: int, reach: float) -> Array:
    distance = np.linalg.norm(guides.position, axis=-1) * np.float32(_PLANE_REACH) + np.float32(1e-6)
    features = np.concatenate([light / reach, guides.albedo / _ALBEDO_REACH, guides.normal / _NORMAL_REACH], axis=-1)
    features = features.astype(np.float32)
    total, weights = np.zeros_like(light), np.zeros(light.shape[:2], dtype=np.float32)
    for row, tall in enumerate(_KERNEL):
        for column, wide in enumerate(_KERNEL):
            rows, columns = _shifted(light.shape, (row - 2) * step, (column - 2) * step)
            apart = features[rows][:, columns] - features
            unlike = np.einsum("ijk,ijk->ij", apart, apart)
            lifted = np.einsum("ijk,ijk->ij", guides.position[rows][:, columns] - guides.position, guides.normal)
            weight = np.float32(tall * wide) * np.exp(-unlike - np.square(lifted / distance))
            total += weight[..., None] * light[rows][:, columns]
            weights += weight
    return np.asarray(total / weights[..., None], dtype=np.float32)


def _shifted(shape: tuple[int, ...], down: int, right: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns that lie (down, right) from those of an image; beyond its border the border itself."""
    rows = np.clip(np.arange(shape[0]) + down, 0, shape[0] - 1)
    columns = np.clip(np.arange(shape[1]) + right, 0, shape[1] - 1)
    return rows, columns
