"""What containers alone promise: what the engine is asked for, and that nothing stays when a worker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from server.scoring.container_runner import ContainerRunner
from server.scoring.containers import Engine
from server.scoring.gpus import Gpus
from server.scoring.runner import OutcomeKind
from tests.contract.adapters import adapter_named
from tests.contract.conftest import Stage
from tests.contract.engine import DockerEngine

ROOT = Path(__file__).parents[2]
NO_IMAGE = "sha256:" + "1" * 64


@pytest.fixture
def contained(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """Jobs in containers alone."""
    return Stage(adapter=adapter_named("container", request, tmp_path / "work"), work_dir=tmp_path / "work")


@pytest.fixture
def client(engine: DockerEngine) -> Iterator[Any]:
    with closing(docker.DockerClient(base_url=engine.host, timeout=60)) as speaking:
        yield speaking


@pytest.fixture
def runner(engine: DockerEngine, tmp_path: Path) -> Iterator[Callable[..., ContainerRunner]]:
    """Makes runners of workers that share a folder."""
    speaking = Engine(engine.host)
    yield lambda **options: ContainerRunner(
        **{
            "engine": speaking,
            "image": engine.scorer_image,
            "work_dir": tmp_path / "work",
            "gpus": Gpus(folder=tmp_path),
            "beat_seconds": 0.05,
            **options,
        }
    )
    speaking.close()


def test_an_engine_that_is_not_there_is_told(contained: Stage, runner: Callable[..., ContainerRunner]) -> None:
    away = runner(engine=Engine(f"unix://{contained.work_dir}/nothing.sock"))
    outcome = away.run(contained.job(), lambda _: True)
    assert outcome.kind is OutcomeKind.COULD_NOT_START
    assert "no container engine at" in outcome.tail


def test_an_image_that_the_engine_lacks_is_told_and_not_pulled(
    contained: Stage, runner: Callable[..., ContainerRunner], client: Any
) -> None:
    before = {image.id for image in client.images.list()}
    outcome = runner(image=f"127.0.0.1:9/gsi-scorer@{NO_IMAGE}").run(contained.job(), lambda _: True)
    assert outcome.kind is OutcomeKind.COULD_NOT_START
    assert "never pulled" in outcome.tail
    assert {image.id for image in client.images.list()} == before


def test_a_gpu_is_asked_of_the_engine_by_its_name(contained: Stage, tmp_path: Path) -> None:
    ran = contained("print('ran')", gpu=True, runner={"gpus": Gpus(["3"], folder=tmp_path / "gpus")})
    assert ran.kind is OutcomeKind.COULD_NOT_START, "this test runs where there is no GPU"
    assert "gpu" in ran.said


def test_the_engine_is_asked_for_nothing_but_the_job(contained: Stage, client: Any, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    (tmp_path / "weights").mkdir()

    def look(_: object) -> bool:
        (mine,) = _containers_of(client, contained.work_dir)
        seen.append(client.api.inspect_container(mine))
        return False

    contained(
        "import time; time.sleep(30)", beat=look, memory_bytes=2**30, threads=2, read_only=(tmp_path / "weights",)
    )
    host, config = seen[0]["HostConfig"], seen[0]["Config"]
    asked = ("NetworkMode", "ReadonlyRootfs", "CapDrop", "CapAdd", "Privileged", "PidsLimit", "Memory", "MemorySwap")
    assert [host[name] for name in asked] == ["none", True, ["ALL"], None, False, 256, 2**30, 2**30]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert (host["PidMode"], host["UTSMode"], host["IpcMode"], host["UsernsMode"]) == ("", "", "private", "")
    assert (host["NanoCpus"], host["Devices"], host["GroupAdd"]) == (2 * 10**9, None, None)
    mounts = {mount["Destination"]: mount["RW"] for mount in seen[0]["Mounts"]}
    assert mounts == {"/input": False, "/output": True, f"{tmp_path}/weights": False}
    assert config["User"].split(":")[0] != "0"
    assert not any("GSI" in variable for variable in config["Env"])
    assert _containers_of(client, contained.work_dir) == []


def test_what_a_killed_worker_left_is_removed_by_the_next_one_and_what_lives_is_not(
    contained: Stage, runner: Callable[..., ContainerRunner], engine: DockerEngine, client: Any
) -> None:
    workers = [_worker(engine, contained.work_dir, name) for name in ("killed", "alive")]
    try:
        _wait_until(lambda: len(_running(client, contained.work_dir)) == 2)
        workers[0].send_signal(signal.SIGKILL)
        workers[0].wait()
        assert len(_running(client, contained.work_dir)) == 2, "nobody has looked yet"
        runner()
        assert len(_running(client, contained.work_dir)) == 1
        assert workers[1].poll() is None
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    runner()
    assert _containers_of(client, contained.work_dir) == []
    mine = 2  # the two runners of this process live
    assert len(list((contained.work_dir / "containers").glob("*.lock"))) == mine


def test_what_outlived_its_time_is_removed_whoever_started_it(
    runner: Callable[..., ContainerRunner], engine: DockerEngine, client: Any
) -> None:
    labels = {"org.gsi-bench.lock": "/elsewhere/x.lock", "org.gsi-bench.ends": str(int(time.time()) + 600)}
    kept = client.containers.create(engine.scorer_image, network_mode="none", labels=labels)
    labels = {**labels, "org.gsi-bench.ends": str(int(time.time()) - 1)}
    over = client.containers.create(engine.scorer_image, network_mode="none", labels=labels)
    try:
        runner()
        left = {one.id for one in client.containers.list(all=True)}
        assert (kept.id in left, over.id in left) == (True, False)
    finally:
        kept.remove()


def _worker(engine: DockerEngine, work_dir: Path, name: str) -> subprocess.Popen[bytes]:
    """A worker of its own that runs a job which sleeps."""
    program = f"""
        from pathlib import Path
        from server.scoring.container_runner import ContainerRunner
        from server.scoring.containers import Engine
        from server.scoring.gpus import Gpus
        from server.scoring.runner import Job, JobKind

        job = Path("{work_dir}/{name}")
        for folder in ("input", "output"):
            (job / folder).mkdir(parents=True)
        (job / "input/program.py").write_text("import time; time.sleep(60)")
        runner = ContainerRunner(
            engine=Engine("{engine.host}"), image="{engine.scorer_image}", work_dir=Path("{work_dir}"),
            gpus=Gpus(folder=job), entrypoint=["python3", "/input/program.py"],
        )
        runner.run(
            Job(kind=JobKind.GATE, input_dir=job / "input", output_dir=job / "output", timeout=60, memory_bytes=2**30),
            lambda _: True,
        )
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, env={"PATH": os.defpath})


def _containers_of(client: Any, work_dir: Path, **more: object) -> list[str]:
    found = client.api.containers(all=True, filters={"label": "org.gsi-bench.lock"})
    return [one["Id"] for one in found if one["Labels"]["org.gsi-bench.lock"].startswith(f"{work_dir}/")]


def _running(client: Any, work_dir: Path) -> list[str]:
    running = {one["Id"] for one in client.api.containers()}
    return [one for one in _containers_of(client, work_dir) if one in running]


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
