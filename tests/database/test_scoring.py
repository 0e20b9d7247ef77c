"""The worker's use-cases on a real database, with a real process as the scorer."""

import json
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from server.db.pool import transaction
from server.leaderboard.service import board
from server.scoring import store
from server.scoring.folders import private_folders
from server.scoring.process_runner import ProcessRunner
from server.settings import Settings
from server.submissions import store as submissions
from server.submissions.lifecycle import State
from tests.database.benching import Bench

AT_ONCE = timedelta(0)


def test_an_accepted_archive_gets_one_run_for_each_subset(bench: Bench) -> None:
    made = bench.uploaded()
    bench.scoring.validate(made)
    assert bench.get(made).state is State.QUEUED
    assert len(bench.queue.scored) == 2
    assert bench.value("select count(distinct subset) from runs where submission_id = %s", made) == 2


def test_a_rejected_archive_leaves_nothing_in_storage_and_says_why(bench: Bench) -> None:
    bench.plan(gate="reject")
    made = bench.uploaded()
    bench.scoring.validate(made)
    found = bench.get(made)
    assert found.state is State.REJECTED
    assert [defect["code"] for defect in found.defects] == ["not-a-zip"]
    assert found.archive_key is None
    assert not bench.scoring.storage.exists(f"submissions/{made}/a.zip")
    assert bench.queue.scored == []


def test_the_real_gate_rejects_an_archive_and_leaves_nothing_of_it_anywhere(bench: Bench) -> None:
    scoring = replace(bench.scoring, runner=ProcessRunner(beat_seconds=0.05))
    made = bench.uploaded()
    scoring.validate(made)
    found = bench.get(made)
    assert found.state is State.REJECTED
    assert [defect["code"] for defect in found.defects] == ["not-a-zip"]
    assert bench.value("select count(*) from runs where submission_id = %s", made) == 0
    for folder in (scoring.settings.storage_dir / "submissions", scoring.settings.work_dir):
        assert list(folder.rglob("*")) == []


def test_a_submission_is_scored_when_its_last_subset_is(bench: Bench) -> None:
    first, second = bench.queued()
    made = bench.owner_of(first)
    bench.scoring.score(first)
    assert bench.get(made).state is State.SCORING
    bench.scoring.score(second)
    assert bench.get(made).state is State.SCORED
    assert bench.value("select count(*) from scores where submission_id = %s", made) == 2 * 2 * 3 * 5
    asked = "select distinct value from scores where operation = 'all' and dimension = 'avg' and protocol = %s"
    assert bench.value(asked, "gsi-fair-1") == 70.0
    assert bench.value(asked, "gsi-official-1") == 60.0


def test_each_protocol_has_a_board_of_its_own(bench: Bench) -> None:
    runs = bench.queued()
    for run in runs:
        bench.scoring.score(run)
    with transaction(bench.scoring.pool) as conn:
        assert submissions.move(conn, bench.owner_of(runs[0]), State.PUBLISHED)
        boards = {
            protocol: board(conn, "blocks", subset=None, operation=None, protocol=protocol).entries
            for protocol in (None, "gsi-fair-1", "gsi-official-1")
        }
    assert [entry.scores["avg"] for entries in boards.values() for entry in entries] == [70.0, 70.0, 60.0]


def test_the_judge_gets_its_settings_and_its_key_and_nobody_else_does(bench: Bench, tmp_path: Path) -> None:
    bench.plan(score="judged")
    judge = {"adapter": "endpoint", "url": "http://127.0.0.1:9/v1", "model": "tiny", "revision": "r"}
    (tmp_path / "instruments.json").write_text(json.dumps({"journals": "/", "judge": judge}))
    first, second = bench.queued()
    bench.scoring.score(first)
    assert bench.value("select state::text from runs where id = %s", first) == "failed"
    settings = bench.scoring.settings.model_copy(
        update={"instruments": tmp_path / "instruments.json", "judge_api_key": SecretStr("the judge's key")}
    )
    bench.scoring = replace(bench.scoring, settings=settings)
    (third, _) = bench.queued()
    bench.scoring.score(third)
    assert bench.value("select state::text from runs where id = %s", third) == "succeeded"
    assert second != third


def test_the_report_of_a_run_is_kept(bench: Bench) -> None:
    first, _ = bench.queued()
    bench.scoring.score(first)
    report = json.loads(b"".join(bench.scoring.storage.read(f"runs/{first}/report.json")))
    assert report["schema"] == "gsi-report/2"


def test_a_file_of_instruments_that_vanished_is_tried_again_and_not_forgotten(bench: Bench, tmp_path: Path) -> None:
    gone = bench.scoring.settings.model_copy(update={"instruments": tmp_path / "gone.json"})
    first, _ = bench.queued()
    bench.scoring = replace(bench.scoring, settings=gone)
    bench.scoring.score(first)
    assert bench.value("select error_code from runs where id = %s", first) == "retry"
    assert bench.value("select count(*) from runs where state = 'queued' and attempt = 2") == 1


def test_a_task_delivered_twice_scores_once(bench: Bench) -> None:
    first, _ = bench.queued()
    for _ in range(2):
        bench.scoring.score(first)
    assert bench.value("select count(*) from scores") == 2 * 3 * 5
    assert bench.value("select max(attempt) from runs") == 1


def test_of_two_workers_that_want_a_run_one_gets_it(bench: Bench) -> None:
    first, _ = bench.queued()
    gate = threading.Barrier(2)
    won: list[bool] = []

    def claim(owner: str) -> None:
        gate.wait()
        with transaction(bench.scoring.pool) as conn:
            won.append(store.claim_run(conn, first, owner=owner, lease=timedelta(minutes=1)) is not None)

    workers = [threading.Thread(target=claim, args=(name,)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(won) == [False, True]


def test_a_late_result_with_an_old_token_is_refused(bench: Bench) -> None:
    first, _ = bench.queued()
    with transaction(bench.scoring.pool) as conn:
        late = store.claim_run(conn, first, owner="slow worker", lease=AT_ONCE)
    assert late is not None
    bench.scoring.sweep()
    with transaction(bench.scoring.pool) as conn:
        assert not store.beat_run(conn, late, None, lease=timedelta(minutes=1))
        assert not store.succeed_run(conn, late, total=2, report_key="late", report_sha256="0" * 64)
    assert bench.value("select count(*) from scores") == 0
    assert bench.value("select state from runs where id = %s", first) == "lost"


def test_a_run_lost_with_its_worker_is_tried_again_and_scored(bench: Bench) -> None:
    first, second = bench.queued()
    with transaction(bench.scoring.pool) as conn:
        store.claim_run(conn, first, owner="dead worker", lease=AT_ONCE)
    bench.queue.scored.clear()
    bench.scoring.sweep()
    again = next(run for run in bench.queue.scored if run not in {first, second})
    bench.scoring.score(again)
    bench.scoring.score(second)
    assert bench.get(bench.owner_of(first)).state is State.SCORED
    assert bench.value("select attempt from runs where id = %s", again) == 2


@pytest.mark.parametrize("how", ["nothing", "nan", "another", "dishonest", "70"])
def test_what_is_not_an_honest_report_is_never_a_score(bench: Bench, how: str) -> None:
    bench.plan(score=how)
    first, _ = bench.queued()
    bench.scoring.score(first)
    found = bench.get(bench.owner_of(first))
    assert found.state is State.FAILED
    assert found.failure_code == "scoring-failed"
    assert bench.value("select count(*) from scores") == 0


def test_a_passing_fault_is_tried_again_a_bounded_number_of_times(bench: Bench) -> None:
    bench.plan(score="75")
    first, _ = bench.queued()
    made = bench.owner_of(first)
    bench.scoring.score(first)
    assert bench.get(made).state is State.SCORING
    for _ in range(5):
        bench.scoring.score(bench.queue.scored[-1])
    assert bench.get(made).state is State.FAILED
    assert bench.value("select max(attempt) from runs where submission_id = %s", made) == 3


def test_a_failed_submission_can_be_tried_again_from_the_gate_on(bench: Bench) -> None:
    bench.plan(score="70")
    first, second = bench.queued()
    made = bench.owner_of(first)
    bench.scoring.score(second)
    bench.plan(score="ok")
    with transaction(bench.scoring.pool) as conn:
        assert submissions.move(conn, made, State.UPLOADED)
        submissions.clear_failure(conn, made)
    bench.queue.scored.clear()
    bench.scoring.validate(made)
    bench.scoring.sweep()
    for run in set(bench.queue.scored):
        bench.scoring.score(run)
    assert bench.get(made).state is State.SCORED


def test_withdrawing_stops_the_work_and_nothing_is_scored(bench: Bench) -> None:
    bench.plan(score="sleep")
    first, _ = bench.queued()
    made = bench.owner_of(first)
    worker = threading.Thread(target=bench.scoring.score, args=(first,))
    worker.start()
    while bench.value("select stage from runs where id = %s", first) != "measure":
        time.sleep(0.01)
    with transaction(bench.scoring.pool) as conn:
        assert submissions.move(conn, made, State.WITHDRAWN)
    worker.join(timeout=20)
    assert not worker.is_alive()
    assert bench.value("select state from runs where id = %s", first) == "lost"
    assert bench.value("select count(*) from scores") == 0
    assert bench.get(made).state is State.WITHDRAWN


def test_progress_of_a_run_is_seen_while_it_works(bench: Bench) -> None:
    bench.plan(score="slow")
    first, _ = bench.queued()
    worker = threading.Thread(target=bench.scoring.score, args=(first,))
    worker.start()
    seen = set()
    while worker.is_alive():
        time.sleep(0.01)
        seen.add(bench.value("select stage || ' ' || done || '/' || total from runs where id = %s", first))
    assert "measure 0/2" in seen


class TestTheSweep:
    def test_reminds_the_queue_of_an_uploaded_archive(self, bench: Bench) -> None:
        made = bench.uploaded()
        bench.scoring.sweep()
        assert bench.queue.validated == [made]

    def test_hands_a_check_whose_worker_died_to_another(self, bench: Bench) -> None:
        made = bench.uploaded()
        with transaction(bench.scoring.pool) as conn:
            assert store.claim_gate(conn, made, owner="dead", lease=AT_ONCE, max_attempts=3) is not None
        bench.scoring.sweep()
        assert bench.queue.validated == [made]
        bench.scoring.validate(made)
        assert bench.get(made).state is State.QUEUED

    def test_gives_up_on_a_check_that_kills_every_worker(self, bench: Bench) -> None:
        made = bench.uploaded()
        for _ in range(3):
            with transaction(bench.scoring.pool) as conn:
                store.claim_gate(conn, made, owner="dead", lease=AT_ONCE, max_attempts=3)
            bench.scoring.sweep()
        found = bench.get(made)
        assert (found.state, found.failure_code) == (State.FAILED, "gate-failed")

    def test_reminds_the_queue_of_a_waiting_run(self, bench: Bench) -> None:
        runs = bench.queued()
        bench.queue.scored.clear()
        bench.scoring.sweep()
        assert sorted(bench.queue.scored) == sorted(runs)

    def test_makes_the_runs_that_a_dying_worker_did_not(self, bench: Bench) -> None:
        made = bench.uploaded()
        with transaction(bench.scoring.pool) as conn:
            submissions.move(conn, made, State.VALIDATING)
            submissions.move(conn, made, State.QUEUED)
        bench.scoring.sweep()
        assert len(set(bench.queue.scored)) == 2

    def test_settles_what_is_scored_and_was_never_told(self, bench: Bench) -> None:
        first, second = bench.queued()
        made = bench.owner_of(first)
        bench.run("update runs set state = 'succeeded' where submission_id = %s", made)
        assert second != first
        bench.scoring.sweep()
        assert bench.get(made).state is State.SCORED

    def test_does_not_repeat_itself_while_patience_lasts(self, bench: Bench) -> None:
        patient = replace(bench.scoring, settings=bench.scoring.settings.model_copy(update={"hint_seconds": 60.0}))
        made = bench.uploaded()
        bench.run("update submissions set state_changed_at = now() - interval '2 minutes' where id = %s", made)
        patient.sweep()
        patient.sweep()
        assert bench.queue.validated == [made]


def test_a_gate_that_fails_for_a_moment_is_tried_again(bench: Bench) -> None:
    bench.plan(gate="75")
    made = bench.uploaded()
    bench.scoring.validate(made)
    assert bench.get(made).state is State.VALIDATING
    bench.plan(gate="accept")
    bench.scoring.sweep()
    assert bench.queue.validated == [made]
    bench.scoring.validate(made)
    assert bench.get(made).state is State.QUEUED


def test_a_gate_with_a_defect_of_ours_fails_the_submission_in_words_for_its_team(bench: Bench) -> None:
    bench.plan(gate="70")
    made = bench.uploaded()
    bench.scoring.validate(made)
    found = bench.get(made)
    assert found.state is State.FAILED
    assert found.failure_remedy is not None
    assert "cost you nothing" in found.failure_remedy


def test_a_late_verdict_is_refused(bench: Bench) -> None:
    made = bench.uploaded()
    with transaction(bench.scoring.pool) as conn:
        late = store.claim_gate(conn, made, owner="slow", lease=AT_ONCE, max_attempts=3)
    bench.scoring.validate(made)
    with transaction(bench.scoring.pool) as conn:
        assert late is not None
        assert not store.hold_gate(conn, made, token=late)


def test_what_a_killed_worker_left_goes_with_the_next_job_and_what_another_holds_stays(
    bench: Bench, settings: Settings
) -> None:
    (settings.work_dir / "job-of-the-dead/input").mkdir(parents=True)
    (settings.work_dir / "job-of-the-dead/input/truth.json").write_text("hidden")
    with private_folders(settings.work_dir) as mine:
        bench.scoring.validate(bench.uploaded())
        assert mine.input.is_dir()
        assert list(settings.work_dir.glob("job-*")) == [mine.input.parent]


def test_nothing_of_a_job_is_left_on_disk(bench: Bench, settings: Settings) -> None:
    first, _ = bench.queued()
    bench.scoring.score(first)
    assert [path.name for path in settings.work_dir.iterdir() if path.name.startswith("job-")] == []
