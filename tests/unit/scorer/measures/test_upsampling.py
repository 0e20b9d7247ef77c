from __future__ import annotations

import pytest
import torch
import torch.nn.functional as f

from scorer.measures.upsampling import adjoint


@pytest.mark.parametrize("kept", ["all a little", "most", "little"])
@pytest.mark.parametrize("cells", [(1, 1), (5, 9), (23, 31), (40, 60)])
def test_weighting_cells_equals_weighting_the_enlarged_map(cells, kept):
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(cells, generator=generator, dtype=torch.float64)
    weights = torch.rand(40, 60, generator=generator, dtype=torch.float64)
    if kept == "most":
        weights[:, 9:], weights[:20] = 1, 1
    elif kept == "little":
        weights[:, 9:], weights[:20] = 0, 0
    enlarged = f.interpolate(small[None, None], size=(40, 60), mode="bilinear", align_corners=False)[0, 0]
    expected = float((enlarged * weights).sum())
    assert float((adjoint(weights, sizes=[cells])[cells] * small).sum()) == pytest.approx(expected, rel=1e-6)


def test_the_weights_of_the_cells_have_the_sum_of_those_of_the_pixels():
    weights = torch.ones(37, 53)
    assert float(adjoint(weights, sizes=[(7, 11)])[7, 11].sum()) == pytest.approx(37 * 53, rel=1e-6)
