from __future__ import annotations

import sys
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from server.benchmarks.service import Registered
from server.jobs import RecordingQueue
from server.scoring.process_runner import ProcessRunner
from server.scoring.service import Scoring
from server.settings import Settings
from server.storage.local import LocalStorage
from tests.database.benching import Bench

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(settings: Settings, pool: ConnectionPool, storage: LocalStorage, blocks: Registered, tmp_path: Path) -> Bench:
    plan = tmp_path / "plan.json"
    runner = ProcessRunner(
        command=[sys.executable, str(ROOT / "tests" / "scripted_scorer.py"), str(plan)], beat_seconds=0.05
    )
    impatient = settings.model_copy(update={"hint_seconds": 0.0, "max_attempts": 3, "retry_seconds": 0.0})
    scoring = Scoring(
        settings=impatient, pool=pool, storage=storage, queue=RecordingQueue(), runner=runner, owner="worker-1"
    )
    return Bench(scoring, blocks, plan)
