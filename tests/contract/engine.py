"""The fixture `engine`: a real Docker engine with the scorer's image, one for all tests that run on this machine.

Where no engine can be had such a test says ``skipped: no container engine``; with GSI_REQUIRE_ENGINE=1, which `.ci/run`
sets where it can install one, that is a failure. DOCKER_HOST names an engine of one's own instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import docker
import pytest

from tests.contract.engine_daemon import NoEngineError, cache_folder, locked, running_engine
from tests.contract.engine_images import Builder

_BUILD_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class DockerEngine:
    """``host``: its address, ``unix://…``. ``scorer_image``: the id, ``sha256:…``, of this checkout's image."""

    host: str
    scorer_image: str

    def image(self, name: str) -> str:
        """The id of the image of ``docker/NAME.Dockerfile``, built if it is not there yet."""
        with (
            locked(cache_folder() / "build.lock"),
            closing(docker.DockerClient(self.host, timeout=_BUILD_SECONDS)) as client,
        ):
            builder = Builder(client)
            made = builder.image(name)
            builder.tidy()
            return made


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    """See this module."""
    with ExitStack() as open_:
        try:
            host = os.environ.get("DOCKER_HOST") or open_.enter_context(running_engine(cache_folder()))
        except NoEngineError as why:
            if os.environ.get("GSI_REQUIRE_ENGINE") == "1":
                pytest.fail(f"no container engine, and GSI_REQUIRE_ENGINE=1 wants one: {why}")
            pytest.skip(f"no container engine ({why})")
        made = DockerEngine(host=host, scorer_image="")
        yield DockerEngine(host=host, scorer_image=made.image("scorer"))
