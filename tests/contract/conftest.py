"""What contract tests share: a small program as a job on each runner in turn, and one S3-compatible server."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from scorer.contract import ProgressLine
from server.scoring.bubblewrap_runner import BubblewrapRunner
from server.scoring.container_runner import ContainerRunner
from server.scoring.containers import Engine
from server.scoring.gpus import Gpus
from server.scoring.process_runner import ProcessRunner
from server.scoring.runner import Job, JobKind, Outcome, OutcomeKind, Runner
from server.storage.s3 import S3Storage
from tests.contract.adapters import NAMES, Adapter, adapter_named
from tests.contract.seaweed import S3Server, running_s3


@dataclass(frozen=True)
class Ran:
    """How a program ended, and where it wrote."""

    outcome: Outcome
    output: Path

    @property
    def kind(self) -> OutcomeKind:
        return self.outcome.kind

    @property
    def said(self) -> str:
        return self.outcome.tail

    def wrote(self, name: str) -> str:
        return (self.output / name).read_text()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A place for jobs: a worker's folder of its own, and a runner."""

    adapter: Adapter
    work_dir: Path
    numbers: list[int] = field(default_factory=list)

    def __call__(
        self,
        program: str,
        *,
        files: Mapping[str, bytes] = {},
        beat: Callable[[ProgressLine | None], bool] = lambda _: True,
        runner: Mapping[str, Any] = {},
        **bounds: Any,
    ) -> Ran:
        """Run ``program``, with ``files`` in its input."""
        job = self.job(**bounds)
        (job.input_dir / "program.py").write_text(textwrap.dedent(program))
        for name, content in files.items():
            (job.input_dir / name).parent.mkdir(parents=True, exist_ok=True)
            (job.input_dir / name).write_bytes(content)
        entry = [self.adapter.python, f"{self.adapter.inside(job.input_dir)}/program.py"]
        return Ran(self.adapter.make(entry, **runner).run(job, beat), job.output_dir)

    def job(self, **bounds: Any) -> Job:
        """A job with empty folders, as private as the worker makes them."""
        self.numbers.append(0)
        private = self.work_dir / f"job-{len(self.numbers)}"
        for name in ("input", "output"):
            (private / name).mkdir(mode=0o700, parents=True)
        private.chmod(0o700)
        chosen = {"timeout": 30, "memory_bytes": 2**31, "kind": JobKind.GATE, **bounds}
        return Job(input_dir=private / "input", output_dir=private / "output", **chosen)


@pytest.fixture(params=NAMES)
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Adapter:
    return adapter_named(request.param, request, tmp_path / "work")


@pytest.fixture
def launch(adapter: Adapter, tmp_path: Path) -> Stage:
    (tmp_path / "work").mkdir(mode=0o700, exist_ok=True)
    return Stage(adapter=adapter, work_dir=tmp_path / "work")


@pytest.fixture
def scorer(launch: Stage, request: pytest.FixtureRequest) -> Iterator[Runner]:
    """The runner with the scorer itself."""
    if launch.adapter.name == "process":
        yield ProcessRunner()
    elif launch.adapter.name == "bubblewrap":
        yield BubblewrapRunner()
    else:
        found = request.getfixturevalue("engine")
        engine, gpus = Engine(found.host), Gpus(folder=launch.work_dir)
        yield ContainerRunner(engine=engine, image=found.scorer_image, work_dir=launch.work_dir, gpus=gpus)
        engine.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def bucket(s3: S3Server) -> str:
    vendor_client(s3).create_bucket(Bucket="objects")
    return "objects"


def vendor_client(s3: S3Server, **changes: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=changes.get("key", s3.access_key_id),
        aws_secret_access_key=changes.get("secret", s3.secret_access_key),
        config=Config(retries={"max_attempts": 1}),
    )


def s3_storage(
    s3: S3Server,
    *,
    bucket: str,
    key: str | None = None,
    secret: str | None = None,
    prefix: str = "",
    public_endpoint_url: str | None = None,
) -> S3Storage:
    return S3Storage(
        bucket=bucket,
        endpoint_url=s3.endpoint_url,
        region="us-east-1",
        access_key_id=key or s3.access_key_id,
        secret_access_key=secret or s3.secret_access_key,
        prefix=prefix,
        public_endpoint_url=public_endpoint_url,
    )
