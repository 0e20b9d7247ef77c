"""A submission through the public API of a whole service whose scorers run in containers."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from frontend.client import Client
from frontend.resources import Submission
from infra.embedded.state import read_state
from infra.prepare import BLOCKS_DATA
from tests.contract.engine import DockerEngine

ROOT = Path(__file__).parents[2]
SAMPLES = {"tabletop-01_edit_0", "tabletop-02_edit_0"}
SETTLED = {"scored", "rejected", "failed"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two samples of Blocks as a benchmark of its own, in the service's own format."""
    folder = tmp_path_factory.mktemp("small")
    with zipfile.ZipFile(BLOCKS_DATA / "blocks-public.zip") as public:
        manifest = json.loads(public.read("benchmark.json"))
        samples = [one for one in manifest["samples"] if one["id"] in SAMPLES]
        subset = {"id": "blocks-tabletop", "title": "Two of Blocks", "samples": len(samples)}
        manifest |= {"benchmark": "blocks-small", "samples": samples, "subsets": [subset]}
        for sample in samples:
            public.extract(sample["original"], folder)
    with zipfile.ZipFile(BLOCKS_DATA / "blocks-hidden.zip") as hidden:
        truth = json.loads(hidden.read("truth.json"))
        truth["samples"] = {name: truth["samples"][name] for name in SAMPLES}
        for sample in truth["samples"].values():
            if sample.get("gt_image"):
                hidden.extract(sample["gt_image"], folder)
    (folder / "benchmark.json").write_text(json.dumps(manifest))
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "edits.zip"
    with zipfile.ZipFile(BLOCKS_DATA / "submissions" / "noisy.zip") as whole, zipfile.ZipFile(path, "w") as part:
        for name in whole.namelist():
            if Path(name).stem in SAMPLES:
                part.writestr(name, whole.read(name))
    return path


@contextmanager
def service(data_dir: Path, **settings: str) -> Iterator[str]:
    """`gsi up` on ``data_dir`` with these settings alone; its address."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GSI_", "DATABASE_"))}
    argv = [sys.executable, "-m", "infra.cli", "up", "--data-dir", str(data_dir), "--workers", "1"]
    with (data_dir.parent / "up.log").open("ab") as log:
        up = subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log, env=env | settings)
    try:
        until(lambda: read_state(data_dir), seconds=120)
        state = read_state(data_dir)
        assert state is not None
        yield state.url
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)


def until(what: Callable[[], object], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def scored(url: str, archive: Path, *, team: str) -> Submission:
    """The submission of ``archive`` when it has come to its end."""
    with Client(url=url) as anyone:
        token = anyone.login(team=team).token
    with Client(url=url, token=token) as client:
        made = client.create(benchmark="blocks-small", model=team)
        client.upload(made.id, archive)
        until(lambda: client.submission(made.id).state in SETTLED, seconds=180)
        return client.submission(made.id)


def numbers(submission: Submission) -> Any:
    assert submission.state == "scored", submission
    assert submission.results is not None
    return submission.results


@pytest.mark.timeout(600)
def test_a_submission_scored_in_a_container_gets_the_numbers_that_a_process_gives(
    engine: DockerEngine, small: Path, archive: Path, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    contained = {
        "GSI_RUNNER": "container",
        "GSI_DOCKER_HOST": engine.host,
        "GSI_SCORER_IMAGE": engine.scorer_image,
    }
    with service(data_dir, **contained) as url:
        add = [sys.executable, "-m", "infra.cli", "benchmark", "add", str(small), "--data-dir", str(data_dir)]
        done = subprocess.run(add, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        in_a_container = numbers(scored(url, archive, team="Contained"))
        log = (data_dir / "logs" / "worker.log").read_text()
    assert "runner: container" in log
    with service(data_dir, GSI_RUNNER="process") as url:
        in_a_process = numbers(scored(url, archive, team="Bare"))
    assert in_a_container == in_a_process
    assert in_a_container["blocks-tabletop"]["all"]["n"] == len(SAMPLES)
