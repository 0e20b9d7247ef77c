"""A judge that was really taught, once a session."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model that answers as a judge should."""
    from tests.unit.scorer.judges import tiny_model  # loads torch and transformers

    folder = tmp_path_factory.mktemp("models") / "tiny-judge"
    tiny_model.make(folder)
    return folder


@pytest.fixture(scope="session")
def babbling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same model, untaught: it never answers as asked."""
    from tests.unit.scorer.judges import tiny_model

    folder = tmp_path_factory.mktemp("models") / "babbling-judge"
    tiny_model.make(folder, taught=False)
    return folder
