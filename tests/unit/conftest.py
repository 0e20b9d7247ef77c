from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of weights with both of the detector's networks; made once, to be read alone."""
    import torch

    from tests.unit.scorer.detectors.installing import install

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield install(tmp_path_factory.mktemp("installed") / "weights")
    torch.set_num_threads(threads)
