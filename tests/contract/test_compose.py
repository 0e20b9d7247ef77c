"""docker/compose.yaml, as Compose itself understands it, and what it promises of its parts."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[2] / "docker"
OURS = ("prepare", "server", "frontend", "schedule", "worker", "worker-gpu", "notices")
DIGEST = "sha256:" + "0" * 64


def composed(*files: str, **changes: str) -> dict[str, Any]:
    """The configuration that Compose reads from these files; skips where there is no Compose."""
    program = shutil.which("docker-compose")
    if program is None:
        if os.environ.get("GSI_REQUIRE_ENGINE") == "1":
            pytest.fail("docker-compose is not installed, and GSI_REQUIRE_ENGINE=1 wants it")
        pytest.skip("docker-compose is not installed (Debian: apt-get install docker-compose)")
    env = {"PATH": os.environ["PATH"], "DOCKER_GROUP": "998", "GSI_SCORER_IMAGE": DIGEST, **changes}
    named = [argument for file in files for argument in ("-f", str(DOCKER / file))]
    argv = [program, "--env-file", str(DOCKER / "compose.test.env"), *named, "config"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return composed("compose.yaml", COMPOSE_PROFILES="gpu")["services"]


def test_it_is_a_whole_service(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "redis", "storage", *OURS}
    assert set(composed("compose.yaml", "compose.test.yaml")["services"]) >= {"worker", "frontend"}


def test_the_engines_socket_is_in_the_workers_alone(services: dict[str, Any]) -> None:
    holders = {name for name, one in services.items() if "docker.sock" in json.dumps(one.get("volumes", []))}
    assert holders == {"worker", "worker-gpu"}


def test_the_folder_of_jobs_has_one_path_for_worker_and_engine(services: dict[str, Any]) -> None:
    for name in ("worker", "worker-gpu"):
        folders = [
            one for one in services[name]["volumes"] if one["target"] == services[name]["environment"]["GSI_WORK_DIR"]
        ]
        assert [one["source"] for one in folders] == ["/srv/gsi/work"], name


def test_what_is_measured_with_is_the_workers_alone_under_one_path(services: dict[str, Any]) -> None:
    for name, one in services.items():
        worker = name in ("worker", "worker-gpu")
        folders = [each for each in one.get("volumes", []) if "instruments" in json.dumps(each)]
        assert [each["source"] == each["target"] for each in folders] == ([True] if worker else []), name
        assert ("GSI_JUDGE_API_KEY" in one.get("environment", {})) is worker, name


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_runs_without_rights_on_a_read_only_root(services: dict[str, Any], name: str) -> None:
    one = services[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in one


def test_nothing_starts_before_the_database_is_prepared(services: dict[str, Any]) -> None:
    for name in ("server", "schedule", "worker", "worker-gpu"):
        assert services[name]["depends_on"]["prepare"]["condition"] == "service_completed_successfully", name
    for name in ("postgres", "redis", "storage"):
        assert services["prepare"]["depends_on"][name]["condition"] == "service_healthy"
        assert services[name]["healthcheck"]["test"], name


def test_only_the_website_and_the_uploads_are_reached_from_outside_and_by_default_from_this_machine(
    services: dict[str, Any],
) -> None:
    ports = {name: one["ports"] for name, one in services.items() if one.get("ports")}
    assert set(ports) == {"frontend", "storage"}
    assert all("127.0.0.1" in json.dumps(some) for some in ports.values())


def test_a_service_without_its_secrets_does_not_start(tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed (Debian: apt-get install docker-compose)")
    for missing in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "GSI_SECRET_KEY", "GSI_S3_SECRET_ACCESS_KEY"):
        text = (DOCKER / "compose.test.env").read_text()
        (tmp_path / "env").write_text(re.sub(rf"^{missing}=.*$", "", text, flags=re.MULTILINE))
        argv = [program, "--env-file", str(tmp_path / "env"), "-f", str(DOCKER / "compose.yaml"), "config", "-q"]
        env = {"PATH": os.environ["PATH"], "DOCKER_GROUP": "998", "GSI_SCORER_IMAGE": DIGEST}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode != 0
        assert missing in done.stderr


def test_the_example_names_every_variable_that_must_be_set() -> None:
    wanted = set(re.findall(r"\$\{(\w+):\?", (DOCKER / "compose.yaml").read_text()))
    named = set(re.findall(r"^(\w+)=", (DOCKER / "compose.env.example").read_text(), re.MULTILINE))
    assert wanted
    assert wanted <= named


def test_the_example_holds_no_secret() -> None:
    text = (DOCKER / "compose.env.example").read_text()
    assert re.findall(r"^(\w*(?:PASSWORD|SECRET)\w*)=(.+)$", text, re.MULTILINE) == []
