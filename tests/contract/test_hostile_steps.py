"""Where a run and its submission stand after one of its steps met a hostile program, on each runner."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg_pool import ConnectionPool

from server.benchmarks.service import Registered
from server.db.pool import transaction
from server.jobs import RecordingQueue
from server.scoring import attempts
from server.scoring.runner import Beat, Job, JobKind, Outcome, Runner
from server.scoring.service import Scoring
from server.settings import Settings
from server.storage.local import LocalStorage
from server.submissions import store
from server.submissions.lifecycle import State
from server.submissions.model import Submission
from tests import making
from tests.contract.adapters import NAMES, Adapter, adapter_named

ARCHIVE = b"an archive"
SCRIPTED = Path(__file__).parents[1] / "scripted_scorer.py"
TRUE_CHUNK = """
    import hashlib, json, os, sys, time
    from pathlib import Path
    here = Path(__file__).parent
    sys.path.insert(0, str(here))
    import scripted_scorer as honest
    from scorer.chunks import Made
    from scorer.contract import RunManifest

    manifest = RunManifest.model_validate_json((here / "manifest.json").read_text())
    samples = json.loads((here / "benchmark.json").read_text())["samples"]
    samples = [sample["id"] for sample in samples if sample["subset"] == manifest.subset]
    archive = hashlib.sha256((here / "submission.zip").read_bytes()).hexdigest()

    def chunk(names=samples, *, first=0, manifest=manifest, archive=archive):
        made = Made(manifest=manifest, versions={"code": "x"}, weights={}, archive_sha256=archive)
        said = {"schema": "gsi-measured/1", "inputs": made.fingerprint, "n": len(samples)}
        Path("measured.json").write_text(json.dumps(said))
        found = [honest.measured(name, manifest, archive, "ok") for name in names]
        return made.chunk(found, first=first, seconds=1).model_dump_json()

    os.mkdir("chunks")
    name, true = Path("chunks/000000.json"), chunk()
"""
"""A measuring job that could do its work: ``true`` is the one chunk of the run, and `measured.json` is written."""

NO_CHUNKS = {
    "nothing": "pass",
    "half a chunk": "name.write_text(true[:-9])",
    "not a number": "name.write_text(true.replace('\"locality\":0.4', '\"locality\":NaN'))",
    "infinity": "name.write_text(true.replace('\"locality\":0.4', '\"locality\":1e999'))",
    "too good": "name.write_text(true.replace('\"locality\":0.4', '\"locality\":1.4'))",
    "nested": "name.write_text('[' * 10_000_000)",
    "huge and empty": "name.touch(); os.truncate(name, 2**28)",
    "link out of the output": "name.symlink_to('/etc/passwd')",
    "link to a chunk": "Path('x').write_text(true); name.symlink_to('../x')",
    "second name": "Path('x').write_text(true); os.link('x', name)",
    "pipe": "os.mkfifo(name)",
    "folder": "name.mkdir()",
    "folder that is a link": "Path('x').mkdir(); Path('x/000000.json').write_text(true); name.parent.rmdir();"
    "name.parent.symlink_to('x')",
    "of another archive": "name.write_text(chunk(archive='0' * 64))",
    "of another submission": "name.write_text(chunk(manifest=manifest.model_copy(update={'submission': 'other'})))",
    "of a sample that is nobody's": "name.write_text(chunk(['nobodys']))",
    "the same sample twice in one": "name.write_text(chunk([samples[0], *samples]))",
    "under another number": "Path('chunks/000007.json').write_text(true)",
    "not all samples": "name.write_text(chunk(samples[:1]))",
    "the same samples in another": "name.write_text(true); Path('chunks/000001.json').write_text(chunk(first=1))",
    "measured.json that is a link": "name.write_text(true); os.rename('measured.json', 'x');"
    "os.symlink('x', 'measured.json')",
}
"""What a measuring job leaves in place of its chunks, and how: nothing of it is believed."""

TOO_MUCH = {
    "a gigabyte": "name.touch(); os.truncate(name, 2**30)",
    "thousands": "[os.close(os.open(f'chunks/{i:06d}.json', os.O_CREAT)) for i in range(10_500)]",
}
PASSING = {
    "timed_out": "import time; time.sleep(60)",
    "killed": "import ctypes; ctypes.string_at(0)",
    "out_of_memory": "held = [bytearray(b'x') * 2**20 for _ in range(1024)]",
}
"""What may succeed another time, by the code that operators read."""

NO_REPORTS = {
    "nothing": "pass",
    "link out of the output": "import os; os.symlink('/etc/passwd', 'report.json')",
    "a report beside it": "import os; open('x', 'w').write('{}'); os.link('x', 'report.json')",
    "huge and empty": "import os; open('report.json', 'w'); os.truncate('report.json', 2**28)",
}


class Possessed:
    """A runner of the scripted scorer, but for the jobs of one kind, which run ``program``."""

    name = "possessed"

    def __init__(self, adapter: Adapter, kind: JobKind, program: str) -> None:
        self._adapter, self._kind, self._program = adapter, kind, textwrap.dedent(program)

    def run(self, job: Job, beat: Beat) -> Outcome:
        files = {"scripted_scorer.py": SCRIPTED.read_text(), "program.py": self._program}
        files["plan.json"] = '{"gate": "accept", "score": "ok"}'
        for name, content in files.items():
            (job.input_dir / name).write_text(content)
        inside = self._adapter.inside(job.input_dir)
        honest = [f"{inside}/scripted_scorer.py", f"{inside}/plan.json"]
        entry = [f"{inside}/program.py"] if job.kind is self._kind else honest
        runner: Runner = self._adapter.make([self._adapter.python, *entry])
        return runner.run(replace(job, timeout=0.5) if "sleep(60)" in self._program else job, beat)


@dataclass
class Service:
    """A service without HTTP whose scorers are scripted or possessed."""

    adapter: Adapter
    benchmark: Registered
    tools: Mapping[str, Any]

    def queued(self, what: str) -> UUID:
        """A submission's first run."""
        with transaction(self.tools["pool"]) as conn:
            made = making.submission(conn, self.benchmark, state=State.QUEUED, team=f"Team {what}")
            key = f"submissions/{made}/a.zip"
            store.set_archive(conn, made, key=key, stored=self.tools["storage"].put(key, [ARCHIVE], max_bytes=100))
            return attempts.add_runs(conn, made)[0].id

    def score(self, run: UUID, kind: JobKind, program: str) -> Submission:
        """The submission when the run is over."""
        queue, runner = RecordingQueue(), Possessed(self.adapter, kind, program)
        Scoring(runner=runner, queue=queue, owner="w", **self.tools).score(run)
        with transaction(self.tools["pool"]) as conn:
            found = store.get(conn, self.one("select submission_id from runs where id = %s", run))
        assert found is not None
        return found

    def one(self, query: str, *parameters: Any) -> Any:
        with transaction(self.tools["pool"]) as conn:
            row = conn.execute(query.encode(), parameters).fetchone()
        return row[0] if row else None

    def code(self, run: UUID) -> str:
        return str(self.one("select error_code from runs where id = %s", run))


@pytest.fixture(params=NAMES)
def service(
    request: pytest.FixtureRequest,
    settings: Settings,
    pool: ConnectionPool,
    storage: LocalStorage,
    blocks: Registered,
) -> Service:
    chosen = settings.model_copy(update={"max_attempts": 2, "retry_seconds": 0.0, "scorer_memory_bytes": 2**29})
    tools = {"settings": chosen, "pool": pool, "storage": storage}
    return Service(adapter_named(request.param, request, settings.work_dir), blocks, tools)


def believed(service: Service, kind: JobKind, programs: Mapping[str, str]) -> list[str]:
    """Of which programs something came but a run that failed for good; what their teams read is asserted."""
    found = []
    for what, program in programs.items():
        run = service.queued(what)
        submission = service.score(run, kind, program)
        if submission.state is not State.FAILED or service.code(run) not in {"defect", "too_much_output"}:
            found.append(what)
            continue
        assert submission.failure_code == "scoring-failed"
        words = f"{submission.failure_title} {submission.failure_remedy}"
        assert "it cost you nothing" in words
        assert not [secret for secret in ("chunk", "json", "report", "/") if secret in words]
        assert service.one("select count(*) from scores s where s.submission_id = %s", submission.id) == 0
    assert not list(service.tools["settings"].work_dir.glob("job-*")), "nothing of a job stays"
    return found


def some(service: Service, programs: Mapping[str, str], *names: str) -> dict[str, str]:
    """All programs, or those where a sandbox makes a difference: how things are read is the same on every runner."""
    return {what: how for what, how in programs.items() if service.adapter.name == "process" or what in names}


def test_whatever_is_no_chunk_of_a_run_is_no_score_and_fails_it_for_good(service: Service) -> None:
    hostile = some(service, NO_CHUNKS, "not a number", "link out of the output", "folder that is a link") | TOO_MUCH
    programs = {**hostile, "the truth": "name.write_text(true)"}
    made = {what: f"{textwrap.dedent(TRUE_CHUNK)}\n{program}" for what, program in programs.items()}
    assert believed(service, JobKind.MEASURE, made) == ["the truth"]
    kept = "select count(*) from run_chunks c join runs r on r.id = c.run_id where r.state = 'failed'"
    some_was_true = {"the same samples in another", "measured.json that is a link", "not all samples"}
    assert service.one(kept) == len(some_was_true & set(hostile))


def test_whatever_is_no_report_at_the_end_of_a_run_is_no_score_and_fails_it_for_good(service: Service) -> None:
    assert believed(service, JobKind.AGGREGATE, some(service, NO_REPORTS, "link out of the output")) == []


def test_what_may_pass_is_tried_again_and_then_told_in_the_words_that_belong_to_it(service: Service) -> None:
    told = {}
    for code, program in PASSING.items():
        run = service.queued(code)
        submission = service.score(run, JobKind.MEASURE, program)
        assert (service.code(run), submission.state) == (code, State.SCORING)
        again = "select id from runs where submission_id = %s and subset = (select subset from runs where id = %s)"
        again = service.one(f"{again} and attempt = 2", submission.id, run)
        told[code] = service.score(again, JobKind.MEASURE, program)
    assert {one.state for one in told.values()} == {State.FAILED}
    assert {code: one.failure_code for code, one in told.items()} == {
        "timed_out": "timed-out",
        "killed": "scoring-failed",
        "out_of_memory": "out-of-memory",
    }
    assert service.one("select count(*) from scores") == 0
