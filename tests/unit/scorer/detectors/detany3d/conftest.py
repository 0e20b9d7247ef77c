from __future__ import annotations

import pytest
import torch

from scorer.detectors.detany3d import seeded
from tests.unit.scorer.detectors.detany3d.making import SMALL


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="package")
def narrow(one_thread):
    return seeded.network(SMALL, seed=0)
