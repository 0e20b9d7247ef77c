"""The whole API against generated requests: whatever is sent, no answer is a defect of ours, and each is documented."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from psycopg_pool import ConnectionPool
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from server.app import create_app
from server.benchmarks.service import register
from server.curation.seed import seed
from server.db.pool import make_pool, transaction
from server.http.document import committed
from server.jobs import RecordingQueue
from server.storage.local import LocalStorage
from server.submissions.lifecycle import State
from tests import making
from tests.conftest import _TEMPLATE, BenchmarkZips, _database, settings_for
from tests.serving import served

schema = schemathesis.openapi.from_dict(json.loads(committed()))
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]


@schemathesis.serializer("application/zip")
def _as_it_is(_context: Any, value: Any) -> bytes:
    """An archive is sent as its bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


class Place(NamedTuple):
    """A running service with something of everything in it: its address, callers' headers, and ids that exist."""

    url: str
    callers: Iterator[dict[str, str]]
    ids: dict[str, Iterator[str]]
    turns: Iterator[bool]


@pytest.fixture(scope="module")
def place(postgres, benchmark_zips: BenchmarkZips, tmp_path_factory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("generated")
    databases = _database(postgres, template=_TEMPLATE)
    url = next(databases)
    with make_pool(url, size=8) as pool:
        told = settings_for(url, folder)
        storage = LocalStorage(folder / "storage")
        app = create_app(told, queue=RecordingQueue(), storage=storage, pool=pool)
        with transaction(pool) as conn:
            registered = register(conn, storage, public_zip=benchmark_zips.public, hidden_zip=benchmark_zips.hidden)
            seed(conn)
            made = [making.submission(conn, registered, state=state) for state in State]
        callers = _callers(app)
        known = {
            "benchmark_id": ["blocks", "gsi-bench"],
            "submission_id": [str(one) for one in made],
            "entry_id": _ids(pool, "curated_entries"),
            "subset": ["blocks-room"],
        }
        with served(app) as port:
            yield Place(
                f"http://127.0.0.1:{port}",
                itertools.cycle(callers),
                {name: itertools.cycle(values) for name, values in known.items()},
                itertools.cycle([True, True, False]),
            )
    next(databases, None)


def _callers(app: Any) -> list[dict[str, str]]:
    client = TestClient(app, base_url="http://test/api/v1")
    wishes = [{"team": "Owners"}, {"maintainer": True}]
    tokens = [client.post("/development/login", json=wish).json()["token"] for wish in wishes]
    known = [{"authorization": f"Bearer {token}"} for token in tokens]
    return [*known, *known, {}]


def _ids(pool: ConnectionPool, table: str) -> list[str]:
    with transaction(pool) as conn:
        return [str(row[0]) for row in conn.execute(f"select id from {table} limit 3".encode()).fetchall()]


@schema.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_request_brings_out_a_defect_and_every_answer_is_as_documented(case, place: Place):
    if next(place.turns):  # most go to things that exist
        for name in case.path_parameters or {}:
            if name in place.ids:
                case.path_parameters[name] = next(place.ids[name])
    answer = case.call(base_url=place.url, headers=next(place.callers), timeout=20)
    case.validate_response(answer, checks=CHECKS)
