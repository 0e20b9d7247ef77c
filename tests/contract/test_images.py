"""The images of `docker/`: that they build, and what is and is not in them."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import docker
import pytest

from tests.contract.engine import DockerEngine


@pytest.fixture(scope="module")
def client(engine: DockerEngine) -> Iterator[Any]:
    with closing(docker.DockerClient(base_url=engine.host, timeout=60)) as speaking:
        yield speaking


def _output(client: Any, image: str, *argv: str) -> str:
    """What a program prints in a container without network, run as the image's own user."""
    return client.containers.run(image, entrypoint=list(argv), command=[], network_mode="none", remove=True).decode()


def test_the_scorer_image_scores_as_nobody_in_particular(client: Any, engine: DockerEngine) -> None:
    assert _output(client, engine.scorer_image, "id", "-u").strip() == "10001"
    versions = "import json, scorer.contract, torch; print(json.dumps(torch.__version__))"
    assert json.loads(_output(client, engine.scorer_image, "python", "-c", versions)).startswith("2.13.0")
