"""The images of `docker/`: what is in them, what is not, and as whom they run."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.contract.engine import DockerEngine

NAMES = ("server", "worker", "frontend", "scorer")
SERVING = ("server", "worker", "frontend")
DOCKERFILES = Path(__file__).parents[2] / "docker"
_ALONE = {"network_mode": "none", "read_only": True, "remove": True, "tmpfs": {"/tmp": ""}}

_FACTS = """
import importlib.metadata, json, os, shutil
odd = []
for top in ("/opt", "/root", "/home", "/src", "/tmp", "/var/cache", "/wheels"):
    for folder, folders, files in os.walk(top):
        if "site-packages" not in folder:
            odd += [os.path.join(folder, name) for name in (*folders, *files)
                    if name in (".cache", ".env", ".git", "secret", "id_rsa") or name.endswith((".whl", ".env"))]
print(json.dumps({
    "packages": {one.name.lower(): one.version for one in importlib.metadata.distributions()},
    "ours": sorted(name for name in os.listdir("/opt/ours") if name.isidentifier() and name != "bin"),
    "tools": [tool for tool in ("cc", "gcc", "curl", "git", "make", "pip", "uv", "wget") if shutil.which(tool)],
    "odd": odd + [top for top in ("/src", "/wheels") if os.path.exists(top)],
    "user": [os.getuid(), os.getgid()],
    "may_write": [top for top in ("/", "/etc", "/opt/gsi", "/opt/ours", "/usr/bin") if os.access(top, os.W_OK)],
}))
"""


@pytest.fixture(scope="module")
def client(engine: DockerEngine) -> Iterator[Any]:
    with closing(docker.DockerClient(base_url=engine.host, timeout=120)) as speaking:
        yield speaking


@pytest.fixture(scope="module")
def images(engine: DockerEngine) -> dict[str, str]:
    return {name: engine.scorer_image if name == "scorer" else engine.image(name) for name in NAMES}


@pytest.fixture(scope="module")
def facts(client: Any, images: dict[str, str]) -> dict[str, Any]:
    """What a program finds in each image, run by the image's own user and without network."""
    return {
        name: json.loads(client.containers.run(image, entrypoint=["python", "-c", _FACTS], command=[], **_ALONE))
        for name, image in images.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_image_runs_as_nobody_who_could_change_it(facts: dict[str, Any], name: str) -> None:
    assert facts[name]["user"] == [10001, 10001]
    assert facts[name]["may_write"] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_image_holds_no_tools_to_build_with_no_caches_and_no_secrets(facts: dict[str, Any], name: str) -> None:
    assert facts[name]["tools"] == []
    assert facts[name]["odd"] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_image_tells_its_packages_and_what_it_is(
    facts: dict[str, Any], client: Any, images: dict[str, str], name: str
) -> None:
    assert {"gsi-bench", "pydantic"} <= set(facts[name]["packages"])
    image = client.images.get(images[name])
    told = {key.removeprefix("org.opencontainers.image.") for key in image.labels}
    assert {"title", "description", "licenses", "version", "revision"} <= told
    assert not re.search(r"(PASSWORD|SECRET|TOKEN|API_KEY)=", json.dumps(image.history()))


@pytest.mark.parametrize("name", SERVING)
def test_whoever_serves_has_no_torch(facts: dict[str, Any], name: str) -> None:
    assert not {"torch", "transformers", "opencv-python-headless", "scipy"} & set(facts[name]["packages"])


def test_the_scorer_has_its_torch_and_nothing_of_the_service(facts: dict[str, Any]) -> None:
    packages = facts["scorer"]["packages"]
    assert packages["torch"].startswith("2.13.0")
    assert not {"celery", "boto3", "psycopg", "docker", "fastapi", "gradio"} & set(packages)
    assert facts["scorer"]["ours"] == ["scorer"]


@pytest.mark.parametrize("name", SERVING)
def test_whoever_serves_has_a_health_check(client: Any, images: dict[str, str], name: str) -> None:
    assert client.images.get(images[name]).attrs["Config"]["Healthcheck"]["Test"][0] == "CMD"


def test_the_scorer_starts_as_the_scorer(client: Any, images: dict[str, str]) -> None:
    said = client.containers.run(images["scorer"], command=["--help"], **_ALONE)
    assert b"gate" in said


def test_a_job_compiles_nothing_that_it_loads(client: Any, images: dict[str, str]) -> None:
    program = """
import json, os, sys
import scorer.__main__, scorer.commands.judge, scorer.commands.steps
from scorer import inputs, instruments, measuring, preparing, registry, reporting
loaded = [(one.__name__, getattr(one, "__cached__", None)) for one in list(sys.modules.values())]
print(json.dumps([name for name, file in loaded if isinstance(file, str) and not os.path.exists(file)]))
"""
    said = client.containers.run(images["scorer"], entrypoint=["python", "-c", program], command=[], **_ALONE)
    assert json.loads(said) == []


def test_the_server_prepares_databases_and_says_what_it_lacks(client: Any, images: dict[str, str]) -> None:
    with pytest.raises(docker.errors.ContainerError) as ended:
        client.containers.run(images["server"], command=["python", "-m", "infra.prepare"], **_ALONE)
    assert ended.value.exit_status == 78


def test_every_base_is_an_argument_so_that_it_can_be_pinned() -> None:
    for name in NAMES:
        bases = re.findall(r"^FROM (\S+)", (DOCKERFILES / f"{name}.Dockerfile").read_text(), re.MULTILINE)
        assert set(bases) == {"${BUILD_IMAGE}", "packages", "${BASE_IMAGE}"}, name
