"""A real Postgres for the session, a fresh database for each test, and the API on it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from psycopg import Connection, sql
from psycopg_pool import ConnectionPool

from infra.embedded.postgres import EmbeddedPostgres
from server.app import create_app
from server.benchmarks.service import Registered, register
from server.db.migrate import migrate
from server.db.pool import make_pool, transaction
from server.jobs import RecordingQueue
from server.settings import Settings
from server.storage.local import LocalStorage
from tests.contract.engine import engine as engine  # the fixture, for every test

_TEMPLATE = "migrated"
SUBSETS = ("blocks-tabletop", "blocks-room")
_OPERATIONS = ("move", "remove")
_RATES = ("rate_limit_requests", "rate_limit_address", "rate_limit_sign_in", "rate_limit_tokens")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the chaos test goes on."""
    parser.addoption("--chaos-kills", type=int, default=24, help="how many parts the chaos test kills")
    parser.addoption("--chaos-seed", type=int, default=1, help="of the chaos test's draws")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for this process, with a migrated database `migrated` to clone."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
        migrate(server.url(_TEMPLATE))
        yield server
    finally:
        server.stop()


_numbers = iter(range(1_000_000))


def _database(server: EmbeddedPostgres, *, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield server.url(name)
    finally:
        with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    yield from _database(postgres, template=_TEMPLATE)


@pytest.fixture
def bare_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database of this test's own with nothing in it."""
    yield from _database(postgres, template="template0")


@pytest.fixture
def pool(database_url: str) -> Iterator[ConnectionPool]:
    """Connections to this test's database."""
    with make_pool(database_url, size=8) as opened:
        yield opened


@pytest.fixture
def conn(pool: ConnectionPool) -> Iterator[Connection]:
    """One open transaction, committed at the test's end."""
    with transaction(pool) as opened:
        yield opened


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """An empty storage."""
    return LocalStorage(tmp_path / "storage")


@pytest.fixture
def queue() -> RecordingQueue:
    """A queue that only remembers."""
    return RecordingQueue()


def settings_for(database_url: str, folder: Path) -> Settings:
    """Settings of a development service on a database, with everything else below ``folder``."""
    return Settings.model_validate(
        {
            "DATABASE_URL": database_url,
            "storage_dir": folder / "storage",
            "work_dir": folder / "work",
            "secret_key": "a key for tests only, of some length",
            "development_login": True,
            "quota_per_day": 10_000,
            "quota_total": 10_000,
            "quota_at_once": 10_000,
            "max_archive_bytes": 3 * 1024 * 1024,
            "rate_limits_shared": False,
            **dict.fromkeys(_RATES, "1000000/minute"),
        }
    )


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a development service on this test's database."""
    return settings_for(database_url, tmp_path)


@pytest.fixture
def app(settings: Settings, queue: RecordingQueue, storage: LocalStorage, pool: ConnectionPool) -> FastAPI:
    """The API."""
    return create_app(settings, queue=queue, storage=storage, pool=pool)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Speaks to the API; a failing endpoint is answered, not raised."""
    with TestClient(app, base_url="http://test/api/v1", raise_server_exceptions=False) as speaking:
        yield speaking


Headers = dict[str, str]


@pytest.fixture
def login(client: TestClient) -> Callable[[str], Headers]:
    """Headers of a team, by its name."""

    def log_in(team: str) -> Headers:
        answer = client.post("/development/login", json={"team": team})
        assert answer.status_code == 200, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}"}

    return log_in


@pytest.fixture
def maintainer(client: TestClient) -> Headers:
    """Headers of a maintainer."""
    answer = client.post("/development/login", json={"maintainer": True})
    return {"authorization": f"Bearer {answer.json()['token']}"}


class BenchmarkZips(NamedTuple):
    """A small benchmark: two subsets, two operations, four samples; its images are not pictures."""

    public: Path
    hidden: Path
    manifest: dict[str, Any]


@pytest.fixture(scope="session")
def benchmark_zips(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkZips:
    """The two archives of a small benchmark `blocks`."""
    folder = tmp_path_factory.mktemp("benchmark")
    samples = [_sample(subset, operation) for subset in SUBSETS for operation in _OPERATIONS]
    manifest = {
        "schema": "gsi-benchmark/1",
        "benchmark": "blocks",
        "title": "Blocks",
        "description": "A benchmark of the tests.",
        "protocol": "gsi-fair-1",
        "beside": ["gsi-official-1"],
        "detector": "blocks-detector-1",
        "judge": "blocks-judge-1",
        "perceptual": "msssim-1",
        "subsets": [{"id": subset, "title": subset, "samples": len(_OPERATIONS)} for subset in SUBSETS],
        "samples": samples,
    }
    truth = {"schema": "gsi-truth/1", "samples": {sample["id"]: _truth(sample) for sample in samples}}
    originals = {sample["original"]: b"original " + sample["id"].encode() for sample in samples}
    images = {f"gt/{sample['id']}.webp": b"HIDDEN-IMAGE" for sample in samples}
    public, hidden = folder / "public.zip", folder / "hidden.zip"
    _write_zip(public, {"benchmark.json": json.dumps(manifest).encode(), **originals})
    _write_zip(hidden, {"truth.json": json.dumps(truth).encode(), **images})
    return BenchmarkZips(public, hidden, manifest)


@pytest.fixture
def blocks(pool: ConnectionPool, storage: LocalStorage, benchmark_zips: BenchmarkZips) -> Registered:
    """The small benchmark `blocks`, registered."""
    with transaction(pool) as conn:
        return register(conn, storage, public_zip=benchmark_zips.public, hidden_zip=benchmark_zips.hidden)


def _sample(subset: str, operation: str) -> dict[str, Any]:
    name = f"{subset.removeprefix('blocks-')}-00_{operation}"
    camera = {"intrinsics": [[500.0, 0, 256], [0, 500, 192], [0, 0, 1]], "pitch": 0.5, "height": 0.6}
    return {
        "id": name,
        "subset": subset,
        "scene": name,
        "operation": operation,
        "difficulty": "easy",
        "instruction": "Remove the red block",
        "target": "red block",
        "original": f"originals/{name}.webp",
        "width": 512,
        "height": 384,
        "camera": camera,
    }


def _truth(sample: dict[str, Any]) -> dict[str, Any]:
    return {
        "prompt": sample["instruction"],
        "target": "HIDDEN-TARGET",
        "camera_intrinsics": sample["camera"]["intrinsics"],
        "objects": [],
        "new_objects": [],
        "gt_image": f"gt/{sample['id']}.webp",
    }


def _write_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
