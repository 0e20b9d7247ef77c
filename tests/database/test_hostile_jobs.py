"""Where a submission stands after its check met a hostile program in the scorer's place, on each runner."""

from __future__ import annotations

import hashlib
import textwrap
from dataclasses import replace
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from server.benchmarks.service import Registered
from server.db.pool import transaction
from server.jobs import RecordingQueue
from server.scoring.runner import Beat, Job, Outcome, Runner
from server.scoring.service import Scoring
from server.settings import Settings
from server.storage.local import LocalStorage
from server.submissions import store
from server.submissions.lifecycle import State
from tests import making
from tests.contract.adapters import NAMES, Adapter, adapter_named

ARCHIVE = b"an archive"


class Possessed:
    """A runner whose jobs run ``program`` instead of the scorer."""

    name = "possessed"

    def __init__(self, adapter: Adapter, program: str) -> None:
        self._adapter = adapter
        self._program = program

    def run(self, job: Job, beat: Beat) -> Outcome:
        (job.input_dir / "program.py").write_text(textwrap.dedent(self._program))
        entry = [self._adapter.python, f"{self._adapter.inside(job.input_dir)}/program.py"]
        runner: Runner = self._adapter.make(entry)
        return runner.run(replace(job, timeout=1.0) if "sleep" in self._program else job, beat)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_a_hostile_program_leaves_is_taken_for_a_verdict(
    name: str,
    request: pytest.FixtureRequest,
    settings: Settings,
    pool: ConnectionPool,
    storage: LocalStorage,
    blocks: Registered,
) -> None:
    programs = {
        "leaves nothing": "pass",
        "leaves a link": "import os; os.symlink('/etc/passwd', 'verdict.json')",
        "accepts with a number that is none": f"""
            told = '{{"accepted": true, "defects": [], "images": {{}}, "archive_bytes": NaN, "bundle_version": "x",'
            open("verdict.json", "w").write(told + '"archive_sha256": "{hashlib.sha256(ARCHIVE).hexdigest()}"}}')
        """,
        "fills the disk": """
            import os
            for number in range(10_500):
                os.close(os.open(str(number), os.O_CREAT))
        """,
        "sleeps": "import time; time.sleep(60)",
        "crashes": "import ctypes; ctypes.string_at(0)",
    }
    adapter = adapter_named(name, request, settings.work_dir)
    ends: dict[str, Any] = {}
    for what, program in programs.items():
        with transaction(pool) as conn:
            made = making.submission(conn, blocks, state=State.UPLOADED, team=f"Team {what}")
            key = f"submissions/{made}/a.zip"
            store.set_archive(conn, made, key=key, stored=storage.put(key, [ARCHIVE], max_bytes=100))
        queue = RecordingQueue()
        Scoring(
            settings=settings, pool=pool, storage=storage, queue=queue, runner=Possessed(adapter, program), owner="w"
        ).validate(made)
        with transaction(pool) as conn:
            found = store.get(conn, made)
        assert found is not None
        ends[what] = found.state
        assert queue.scored == []
    passing = {"sleeps", "crashes"}
    assert {what for what, state in ends.items() if state is State.FAILED} == set(programs) - passing
    assert {ends[what] for what in passing} <= {State.UPLOADED, State.VALIDATING}, "another attempt is due"
    assert not list(settings.work_dir.glob("job-*")), "nothing of a job stays"
