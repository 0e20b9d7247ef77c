import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from server.errors import ConfigurationError
from server.scoring import bubblewrap_runner
from server.scoring.choose_runner import choose, runner_of, tell
from server.settings import Settings, unusable

IMAGE = "registry.example/gsi-scorer@sha256:" + "a" * 64
ROOT = Path(__file__).parents[4]


def settings(**chosen: Any) -> Settings:
    return Settings.model_validate(
        {"DATABASE_URL": "postgresql://x", "secret_key": "k" * 32, "storage_dir": "/nowhere", **chosen}
    )


@pytest.fixture
def without_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which no such tool is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))


def test_production_takes_a_container_by_itself(tmp_path: Path) -> None:
    production = settings(environment="production", scorer_image=IMAGE, work_dir=tmp_path)
    assert choose(production).name == "container"
    assert runner_of(production).name == "container"


def test_production_without_an_image_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="GSI_SCORER_IMAGE") as told:
        choose(settings(environment="production"))
    assert "docker/scorer.Dockerfile" in told.value.remedy


def test_a_bare_process_is_refused_in_production_by_the_settings_themselves() -> None:
    with pytest.raises(ValidationError) as told:
        settings(environment="production", runner="process", scorer_image=IMAGE)
    assert "GSI_RUNNER=process" in unusable(told.value)[0]


def test_bubblewrap_in_production_is_the_operators_own_word_and_warned_of() -> None:
    if bubblewrap_runner.trouble() is not None:
        pytest.skip("no bubblewrap")
    assert "less than a container" in choose(settings(environment="production", runner="bubblewrap")).warning


def test_development_takes_bubblewrap_where_it_works() -> None:
    if bubblewrap_runner.trouble() is not None:
        pytest.skip("no bubblewrap")
    assert choose(settings()) == ("bubblewrap", "it works here", "")
    assert runner_of(settings()).name == "bubblewrap"


@pytest.mark.usefixtures("without_bubblewrap")
def test_development_takes_a_bare_process_where_it_does_not_and_says_so_loudly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        assert runner_of(settings()).name == "process"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "BARE PROCESS" in record.message
    assert "apt-get install bubblewrap" in record.message


@pytest.mark.usefixtures("without_bubblewrap")
def test_bubblewrap_that_is_asked_for_and_not_there_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="bwrap is not installed"):
        choose(settings(runner="bubblewrap"))


def test_the_choice_stands_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        tell(choose(settings(runner="container", scorer_image=IMAGE)))
    assert caplog.messages == ["runner: container (GSI_RUNNER says so)"]


@pytest.mark.parametrize("image", ["gsi-scorer", "gsi-scorer:latest", "gsi-scorer@sha256:abc", "sha256:" + "A" * 64])
def test_an_image_that_could_be_moved_is_refused(image: str) -> None:
    with pytest.raises(ValidationError, match="by digest"):
        settings(scorer_image=image)


@pytest.mark.parametrize("image", [IMAGE, "sha256:" + "a" * 64])
def test_an_image_by_digest_is_taken(image: str) -> None:
    assert settings(scorer_image=image).scorer_image == image


def test_gpus_are_a_list_of_names() -> None:
    assert settings(gpus="0,1,GPU-8f1e").gpus == "0,1,GPU-8f1e"
    with pytest.raises(ValidationError, match="0,1"):
        settings(gpus="0; rm")


def test_a_worker_that_can_have_no_runner_ends_at_its_start(tmp_path: Path) -> None:
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATABASE_URL": "postgresql:///nothing",
        "GSI_BROKER_URL": "memory://",
        "GSI_STORAGE_DIR": str(tmp_path),
        "GSI_SECRET_KEY": "k" * 32,
        "GSI_ENVIRONMENT": "production",
    }
    worker = [sys.executable, "-m", "celery", "--app", "server.worker.main", "worker", "--pool", "solo"]
    ended = subprocess.run(worker, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 78
    assert "GSI_SCORER_IMAGE names no image" in ended.stderr
