"""The fixture `engine`: a container engine with the scorer's image, named by the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest


@dataclass(frozen=True, kw_only=True)
class DockerEngine:
    """``host``: its address, ``unix://…``. ``scorer_image``: the id, ``sha256:…``, of the scorer's image."""

    host: str
    scorer_image: str


@pytest.fixture(scope="session")
def engine() -> DockerEngine:
    host, image = os.environ.get("GSI_TEST_DOCKER_HOST"), os.environ.get("GSI_TEST_SCORER_IMAGE")
    if not host or not image:
        if os.environ.get("GSI_REQUIRE_ENGINE") == "1":
            pytest.fail("no container engine, and GSI_REQUIRE_ENGINE=1 wants one")
        pytest.skip("no container engine")
    return DockerEngine(host=host, scorer_image=image)
