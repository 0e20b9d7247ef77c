"""What a run commits on its way, and that a next attempt goes on after it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection
from psycopg_pool import ConnectionPool, PoolTimeout
from pydantic import SecretStr

from server.db.pool import transaction
from server.errors import StorageError
from server.scoring import chunk_store, store
from server.scoring.committing import Keeper
from server.scoring.heart import Heart
from server.scoring.model import Run
from server.storage.local import LocalStorage
from server.storage.port import Stored
from server.submissions import store as submissions
from server.submissions.lifecycle import State
from tests.database.benching import Bench

JUDGE = {"adapter": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "tiny", "revision": "r"}


@pytest.fixture
def stepwise(bench: Bench) -> Bench:
    """Chunks of one sample."""
    bench.settings(chunk_samples=1)
    return bench


def executed(bench: Bench) -> Counter[str]:
    """How often each sample was measured."""
    lines = bench.executed.read_text().splitlines()
    return Counter(line.split()[1] for line in lines if not line.startswith("judged"))


def claimed(bench: Bench, run: object, *, lease: timedelta = timedelta(minutes=1)) -> Run:
    with transaction(bench.scoring.pool) as conn:
        found = store.claim_run(conn, run, owner="another worker", lease=lease)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_a_new_attempt_begins_after_what_was_committed(stepwise: Bench) -> None:
    stepwise.plan(score="half")
    first, _ = stepwise.queued()
    stepwise.scoring.score(first)
    assert stepwise.value("select state::text || done || '/' || total from runs where id = %s", first) == "failed1/2"
    stepwise.plan(score="drawn")
    again = stepwise.value("select id from runs where attempt = 2")
    stepwise.scoring.score(again)
    assert stepwise.value("select state::text from runs where id = %s", again) == "succeeded"
    assert set(executed(stepwise).values()) == {1}
    assert stepwise.value("select count(*) from run_chunks where run_id = %s", first) == 1
    report = json.loads(b"".join(stepwise.scoring.storage.read(f"runs/{again}/report.json")))
    assert len(report["results"]["gsi-fair-1"]["samples"]) == 2


def test_attempts_that_make_progress_are_not_counted(stepwise: Bench) -> None:
    stepwise.settings(max_attempts=2)
    stepwise.plan(score="half")
    run, _ = stepwise.queued()
    for attempt in (1, 2):
        stepwise.scoring.score(run)
        run = stepwise.value("select id from runs where attempt = %s", attempt + 1)
    stepwise.plan(score="75")
    stepwise.scoring.score(run)
    assert stepwise.get(stepwise.owner_of(run)).state is State.SCORING
    stepwise.scoring.score(stepwise.value("select id from runs where attempt = 4"))
    assert stepwise.get(stepwise.owner_of(run)).state is State.FAILED


def test_what_another_version_measured_is_measured_again_and_counts_no_more(stepwise: Bench) -> None:
    stepwise.plan(score="half")
    first, _ = stepwise.queued()
    stepwise.scoring.score(first)
    stepwise.plan(score="ok", version="another")
    again = stepwise.value("select id from runs where attempt = 2")
    stepwise.scoring.score(again)
    assert stepwise.value("select state::text from runs where id = %s", again) == "succeeded"
    assert sorted(executed(stepwise).values()) == [1, 2]
    report = json.loads(b"".join(stepwise.scoring.storage.read(f"runs/{again}/report.json")))
    assert report["versions"] == {"code": "another"}


def test_a_late_chunk_with_an_old_token_is_refused_and_leaves_nothing(bench: Bench) -> None:
    first, _ = bench.queued()
    late = claimed(bench, first, lease=timedelta(0))
    bench.scoring.sweep()
    keeper = Keeper(bench.scoring, late, Heart(bench.scoring, late), "measure")
    assert not keeper.keep(b"late", inputs="0" * 64, first=0, count=1)
    assert bench.value("select count(*) from run_chunks") == 0
    assert not bench.scoring.storage.exists(f"runs/{first}/measure/000000-1")
    assert not Heart(bench.scoring, late).beat()


def test_a_chunk_that_was_committed_without_our_hearing_of_it_is_committed_once(bench: Bench) -> None:
    first, _ = bench.queued()
    run = claimed(bench, first)
    keeper = Keeper(bench.scoring, run, Heart(bench.scoring, run), "measure")
    for _ in range(2):
        assert keeper.keep(b"a chunk", inputs="0" * 64, first=0, count=1)
    assert [content for _, content in keeper.earlier()] == [b"a chunk"]


def test_committed_chunks_are_never_changed(bench: Bench) -> None:
    first, _ = bench.queued()
    run = claimed(bench, first)
    Keeper(bench.scoring, run, Heart(bench.scoring, run), "measure").keep(b"x", inputs="0" * 64, first=0, count=1)
    for change in ("update run_chunks set count = 2", "delete from run_chunks"):
        with pytest.raises(Exception, match="append-only"):
            bench.run(change)


class Failing(LocalStorage):
    """A real storage that does not answer for a while, as often as one says."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.failures = 0

    def put(self, key: str, chunks: Iterable[bytes], *, max_bytes: int) -> Stored:
        if "/measure/" in key and self.failures:
            self.failures -= 1
            raise StorageError("down")
        return super().put(key, chunks, max_bytes=max_bytes)


def test_a_storage_that_is_down_holds_a_run_up_and_costs_nothing(stepwise: Bench, tmp_path: Path) -> None:
    storage = Failing(tmp_path / "storage")
    storage.failures = 3
    stepwise.scoring = replace(stepwise.scoring, storage=storage)
    first, _ = stepwise.queued()
    stepwise.scoring.score(first)
    assert stepwise.value("select state::text from runs where id = %s", first) == "succeeded"
    assert set(executed(stepwise).values()) == {1}
    assert storage.failures == 0


class Away(ConnectionPool):
    """A pool whose database does not answer until a time."""

    until = 0.0

    def getconn(self, timeout: float | None = None) -> Connection[Any]:
        if time.monotonic() < self.until:
            raise PoolTimeout("away")
        return super().getconn(timeout)


def test_a_database_that_is_away_for_longer_than_the_lease_costs_an_attempt_and_no_submission(
    stepwise: Bench, database_url: str
) -> None:
    stepwise.settings(lease_seconds=0.5)
    stepwise.plan(score="slow")
    first, _ = stepwise.queued()
    with Away(database_url, min_size=1, max_size=2) as pool:
        stepwise.scoring = replace(stepwise.scoring, pool=pool)
        worker = threading.Thread(target=stepwise.scoring.score, args=(first,))
        worker.start()
        while stepwise.value("select stage from runs where id = %s", first) != "measure":
            time.sleep(0.01)
        pool.until = time.monotonic() + 0.9
        worker.join()
        ended = "select state::text || ' ' || error_code from runs where id = %s"
        assert stepwise.value(ended, first) == "lost cancelled"
        assert stepwise.get(stepwise.owner_of(first)).state is State.SCORING
        stepwise.scoring.score(stepwise.value("select id from runs where attempt = 2"))
        assert stepwise.value("select count(*) from runs where attempt = 2 and state = 'succeeded'") == 1


def test_progress_counts_what_is_committed(stepwise: Bench) -> None:
    stepwise.plan(score="ok", seconds_each=0.4)
    first, _ = stepwise.queued()
    worker = threading.Thread(target=stepwise.scoring.score, args=(first,))
    worker.start()
    seen = set()
    while worker.is_alive():
        row = stepwise.value("select done || ' ' || (select count(*) from run_chunks) from runs where id = %s", first)
        seen.add(row)
        time.sleep(0.01)
    assert {"1 1", "2 2"} <= seen


@pytest.fixture
def judged(bench: Bench, tmp_path: Path) -> Iterator[Bench]:
    """An installation with a language judge."""
    (tmp_path / "instruments.json").write_text(json.dumps({"judge": JUDGE}))
    bench.settings(
        instruments=tmp_path / "instruments.json", judge_api_key=SecretStr("the judge's key"), chunk_samples=2
    )
    return bench  # type: ignore[return-value]


def test_what_a_judge_has_answered_is_not_asked_again(judged: Bench) -> None:
    judged.plan(score="judged", judge="half")
    first, _ = judged.queued()
    judged.scoring.score(first)
    assert judged.value("select error_code from runs where id = %s", first) == "retry"
    judged.plan(score="judged")
    again = judged.value("select id from runs where attempt = 2")
    judged.scoring.score(again)
    assert judged.value("select state::text from runs where id = %s", again) == "succeeded"
    asked = [line for line in judged.executed.read_text().splitlines() if line.startswith("judged")]
    assert len(asked) == len(set(asked)) == 2
    assert set(executed(judged).values()) == {1}


def test_originals_are_prepared_once_and_lent_to_each_run(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "instruments.json").write_text('{"originals": {"folder": "kept"}}')
    bench.settings(instruments=tmp_path / "instruments.json")
    bench.plan(score="kept")
    for _ in range(2):
        for run in bench.queued():
            bench.scoring.score(run)
            assert bench.value("select state::text from runs where id = %s", run) == "succeeded"
    kept = [path for path in (tmp_path / "kept").iterdir() if path.suffix == ".safetensors"]
    assert len(kept) == 2
    made = {path: path.stat().st_ino for path in kept}
    kept[0].unlink()
    for run in bench.queued():
        bench.scoring.score(run)
    assert sorted(path.name for path in made) == sorted(
        path.name for path in (tmp_path / "kept").iterdir() if path.suffix == ".safetensors"
    )
    assert kept[1].stat().st_ino == made[kept[1]]


def test_the_chunks_of_what_is_over_leave_the_storage(bench: Bench) -> None:
    runs = bench.queued()
    for run in runs:
        bench.scoring.score(run)
    stored = [bench.value("select object_key from run_chunks where run_id = %s", run) for run in runs]
    waiting = bench.queued(team="Others")
    bench.scoring.score(waiting[0])
    kept = bench.value("select object_key from run_chunks where run_id = %s", waiting[0])
    bench.scoring.sweep()
    assert [bench.scoring.storage.exists(key) for key in stored] == [False, False]
    assert bench.scoring.storage.exists(kept)
    with transaction(bench.scoring.pool) as conn:
        assert submissions.move(conn, bench.owner_of(waiting[0]), State.WITHDRAWN)
    bench.scoring.sweep()
    assert not bench.scoring.storage.exists(kept)
    with transaction(bench.scoring.pool) as conn:
        assert chunk_store.droppable(conn) == []


def test_a_new_protocol_version_is_scored_beside_the_old_one_and_changes_nothing_of_it(bench: Bench) -> None:
    runs = bench.queued()
    made = bench.owner_of(runs[0])
    for run in runs:
        bench.scoring.score(run)
    told = "select string_agg(s::text, '|' order by s::text) from scores s where submission_id = %s"
    before = bench.value(told, made)
    bench.run("update submissions set protocol = 'gsi-official-2', state = 'queued' where id = %s", made)
    bench.queue.scored.clear()
    bench.scoring.sweep()
    for run in set(bench.queue.scored):
        bench.scoring.score(run)
    assert bench.get(made).state is State.SCORED
    count = "select count(*) from scores where submission_id = %s and protocol = %s"
    assert bench.value(count, made, "gsi-official-2") == bench.value(count, made, "gsi-fair-1") == 2 * 3 * 5
    assert bench.value(f"{told} and protocol <> %s", made, "gsi-official-2") == before
    assert bench.value("select count(*) from runs where submission_id = %s and state = 'succeeded'", made) == 4
