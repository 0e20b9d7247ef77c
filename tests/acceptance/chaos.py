"""A whole service of real parts that can be killed one by one: Postgres, Redis, an S3 server, workers, the schedule."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import boto3
import psycopg

from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.redis import EmbeddedRedis
from server.benchmarks.service import register
from server.db.migrate import migrate
from server.db.pool import make_pool, transaction
from server.errors import GsiError
from server.settings import Settings
from server.storage.choose import storage_of
from server.submissions import store as submissions
from server.submissions.lifecycle import State
from server.submissions.model import NewSubmission
from server.teams import store as teams
from tests.contract.seaweed import RestartableS3

ROOT = Path(__file__).parents[2]
SAMPLES, CHUNK, WORKERS = 6, 2, 2
PASSING = (GsiError, psycopg.OperationalError)
T = TypeVar("T")


class Service:
    """See the module. ``plan``: the scripted scorer's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.executed = folder / "executed.txt"
        self.postgres = EmbeddedPostgres(folder / "postgres")  # durable: what it has committed outlives a kill
        self.redis = EmbeddedRedis(folder / "redis")
        self.s3 = RestartableS3(folder / "s3")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Bring everything up, with a small benchmark."""
        self.postgres.start()
        migrate(self.postgres.url())
        self.redis.start()
        self._storage_server = self.s3.start()
        self._make_bucket()
        self.settings = Settings.model_validate(self._values())
        self.storage = storage_of(self.settings)
        self.pool = make_pool(self.postgres.url(), size=4)
        public, hidden, self.benchmark = _benchmark(self._folder)
        with transaction(self.pool) as conn:
            self.registered = register(conn, self.storage, public_zip=public, hidden_zip=hidden)
        plan = {"gate": "accept", "score": "drawn", "executed": str(self.executed), "seconds_each": 0.3}
        (self._folder / "plan.json").write_text(json.dumps(plan))
        self.executed.touch()
        self.keep_alive()

    def stop(self) -> None:
        """End everything that was started."""
        for process in self._processes.values():
            _kill(process)
        if hasattr(self, "pool"):
            self.pool.close()
        self.s3.kill()
        self.redis.stop()
        self.postgres.stop()

    def keep_alive(self) -> None:
        """Start workers and schedule, and again what has ended, as a supervisor does."""
        names = [*(f"worker{k}" for k in range(WORKERS)), "beat"]
        for name in names:
            process = self._processes.get(name)
            if process is None or process.poll() is not None:
                self._processes[name] = self._spawn(name)

    def kill(self, victim: str, *, number: int) -> None:
        """Kill a part outright and start it again."""
        if victim == "worker":
            _kill(self._processes[f"worker{number % WORKERS}"])
        elif victim == "database":
            _kill_part(self.postgres)
            started(self.postgres.start)
        elif victim == "broker":
            _kill_part(self.redis)
            started(self.redis.start)
        else:
            self.s3.kill()
            started(self.s3.start)
        self.keep_alive()

    def begin(self, number: int) -> UUID:
        """A submission that has no archive yet."""

        def add() -> UUID:
            if (earlier := self._value("select id from submissions where model = %s", f"Model {number}")) is not None:
                return UUID(str(earlier))  # it was committed, and nobody heard of it
            with transaction(self.pool) as conn:
                return submissions.add(
                    conn,
                    NewSubmission(benchmark=self.registered.benchmark, model=f"Model {number}"),
                    team_id=teams.find_or_make_team(conn, name=f"Team {number % 5}").id,
                    benchmark_version=self.registered.version,
                    protocol="gsi-fair-1",
                )

        return insist(add)

    def upload(self, made: UUID, number: int) -> None:
        """Its archive, as the API would take it."""
        key = f"submissions/{made}/archive.zip"
        content = archive_of(number)
        stored = insist(lambda: self.storage.put(key, [content], max_bytes=len(content)))

        def move() -> None:
            with transaction(self.pool) as conn:
                if submissions.move(conn, made, State.UPLOADED):
                    submissions.set_archive(conn, made, key=key, stored=stored)

        insist(move)

    def _value(self, query: str, *parameters: object) -> Any:
        with transaction(self.pool) as conn:
            row = conn.execute(query.encode(), parameters).fetchone()
        return None if row is None else row[0]

    def value(self, query: str, *parameters: object) -> Any:
        """The first value of a query, once the database answers."""
        return insist(lambda: self._value(query, *parameters))

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with transaction(self.pool) as conn:
            return conn.execute(query.encode(), parameters).fetchall()

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        role = ["beat", "--schedule", str(self._folder / "schedule")]
        if name != "beat":
            role = ["worker", "--concurrency", "1", "-Q", "gsi-short,gsi-score", "-n", f"{name}@test"]
            role += ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "tests.acceptance.chaos_worker", *role],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**_clean(), **self._environment()},
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        names = {
            name if name.isupper() else f"GSI_{name.upper()}": str(value) for name, value in self._values().items()
        }
        return {**names, "GSI_TEST_PLAN": str(self._folder / "plan.json")}

    def _values(self) -> dict[str, Any]:
        return {
            "DATABASE_URL": self.postgres.url(),
            "broker_url": self.redis.url,
            "s3_bucket": "tests",
            "s3_endpoint_url": self._storage_server.endpoint_url,
            "s3_access_key_id": self._storage_server.access_key_id,
            "s3_secret_access_key": self._storage_server.secret_access_key,
            "secret_key": "a key for tests only, of some length",
            "work_dir": self._folder / "work",
            "lease_seconds": 6,
            "sweep_seconds": 0.5,
            "hint_seconds": 1,
            "retry_seconds": 0.2,
            "longest_retry_seconds": 1,
            "max_attempts": 100,
            "chunk_samples": CHUNK,
        }

    def _make_bucket(self) -> None:
        boto3.client(
            "s3",
            endpoint_url=self._storage_server.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=self._storage_server.access_key_id,
            aws_secret_access_key=self._storage_server.secret_access_key,
        ).create_bucket(Bucket="tests")


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """A service in ``folder``, ended afterwards."""
    service = Service(folder)
    try:
        service.start()
        yield service
    finally:
        service.stop()


def insist(act: Callable[[], T], *, seconds: float = 60) -> T:
    """Do it again while a part that was killed does not answer yet, as a client does."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return act()
        except PASSING:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def started(start: Callable[[], object], *, tries: int = 20) -> None:
    """Start a part again on the ports that it had, of which one may be lent to some connection for a moment."""
    for left in reversed(range(tries)):
        try:
            start()
        except RuntimeError:
            if not left:
                raise
            time.sleep(0.5)
        else:
            return


def archive_of(number: int) -> bytes:
    """The archive of one submission: the scripted scorer draws its numbers from it."""
    return f"archive number {number}".encode()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """A worker with its pool; the kernel ends the scorers that were tied to them."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _kill_part(part: EmbeddedPostgres | EmbeddedRedis) -> None:
    assert part.pid is not None
    os.kill(part.pid, signal.SIGKILL)
    while part.pid is not None:  # asking is what takes note of its end
        time.sleep(0.01)


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("GSI_", "DATABASE_"))}


def _benchmark(folder: Path) -> tuple[Path, Path, dict[str, Any]]:
    """The two archives of a benchmark of one subset, and its manifest; its images are not pictures."""
    samples = [_sample(number) for number in range(SAMPLES)]
    manifest = {
        "schema": "gsi-benchmark/1",
        "benchmark": "blocks",
        "title": "Blocks",
        "protocol": "gsi-fair-1",
        "beside": ["gsi-official-1"],
        "detector": "blocks-detector-1",
        "judge": "blocks-judge-1",
        "perceptual": "msssim-1",
        "subsets": [{"id": "part", "title": "Part", "samples": SAMPLES}],
        "samples": samples,
    }
    camera = samples[0]["camera"]["intrinsics"]
    truth = {
        sample["id"]: {
            "prompt": sample["instruction"],
            "target": "red block",
            "camera_intrinsics": camera,
            "objects": [],
            "new_objects": [],
        }
        for sample in samples
    }
    public, hidden = folder / "public.zip", folder / "hidden.zip"
    with zipfile.ZipFile(public, "w") as archive:
        archive.writestr("benchmark.json", json.dumps(manifest))
        for sample in samples:
            archive.writestr(sample["original"], b"an original")
    with zipfile.ZipFile(hidden, "w") as archive:
        archive.writestr("truth.json", json.dumps({"schema": "gsi-truth/1", "samples": truth}))
    return public, hidden, manifest


def _sample(number: int) -> dict[str, Any]:
    return {
        "id": f"s{number}_remove",
        "subset": "part",
        "scene": f"s{number}",
        "operation": "remove",
        "difficulty": "easy",
        "instruction": "Remove the red block",
        "target": "red block",
        "original": f"originals/s{number}.webp",
        "width": 512,
        "height": 384,
        "camera": {"intrinsics": [[500.0, 0, 256], [0, 500, 192], [0, 0, 1]], "pitch": 0.5, "height": 0.6},
    }
