"""Who is next: teams take turns, attempts wait, and what nobody comes for ends."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest

from server.db.pool import transaction
from server.scoring import store
from server.scoring.backoff import delay
from server.settings import Settings
from server.submissions.lifecycle import State
from tests.database.benching import Bench

MINUTE = timedelta(minutes=1)


def claim(bench: Bench, run: UUID) -> UUID | None:
    """The run that a worker gets which was told of ``run``."""
    with transaction(bench.scoring.pool) as conn:
        found = store.claim_run(conn, run, owner="a worker", lease=MINUTE)
    return None if found is None else found.id


def test_while_a_team_is_at_work_another_team_that_waits_is_next(bench: Bench) -> None:
    many = [*bench.queued(team="Many"), *bench.queued(team="Many")]
    assert claim(bench, many[0]) == many[0]
    one = bench.queued(team="One")
    assert claim(bench, many[1]) in one
    assert claim(bench, many[1]) == many[1], "both are at work: the hint decides"
    assert claim(bench, many[1]) is None, "a hint of what is taken takes nothing"


def test_a_team_that_is_alone_gets_every_hand(bench: Bench) -> None:
    runs = [*bench.queued(team="Many"), *bench.queued(team="Many")]
    assert [claim(bench, run) for run in runs] == runs


@pytest.mark.parametrize("hands", [3, 6])
def test_teams_take_turns_also_when_all_hands_come_at_once(bench: Bench, hands: int) -> None:
    many = [run for _ in range(3) for run in bench.queued(team="Many")]
    others = [bench.queued(team=f"Team {k}") for k in range(hands - 1)]
    start = threading.Barrier(hands)
    got: list[UUID | None] = []

    def take(run: UUID) -> None:
        start.wait()
        got.append(claim(bench, run))

    workers = [threading.Thread(target=take, args=(run,)) for run in many[:hands]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    teams = {bench.owner_of(run) for run in got if run is not None}
    assert len(got) == len(teams) == hands, "a team got a second run while another waited"
    assert all(bench.owner_of(one[0]) in teams for one in others)


def test_a_hand_that_is_free_is_told_of_the_run_whose_hint_was_spent(bench: Bench) -> None:
    many, one = bench.queued(team="Many"), bench.queued(team="One")
    assert claim(bench, many[0]) == many[0]
    bench.queue.scored.clear()
    bench.scoring.score(many[1])
    (scored,) = [run for run in one if bench.value("select state from runs where id = %s", run) == "succeeded"]
    assert bench.queue.scored == [run for run in one if run != scored]


def test_attempts_wait_longer_each_time_and_not_all_alike(settings: Settings) -> None:
    waits = [delay(attempt, seed="a", settings=settings).total_seconds() for attempt in range(1, 12)]
    assert waits[0] == 0
    for attempt, wait in enumerate(waits[1:]):
        whole = min(5 * 2**attempt, 600)
        assert whole / 2 <= wait <= whole
    assert delay(5, seed="a", settings=settings) == delay(5, seed="a", settings=settings)
    assert len({delay(5, seed=str(seed), settings=settings) for seed in range(20)}) == 20
    assert delay(10_000, seed="a", settings=settings) <= timedelta(seconds=600)


def test_the_next_attempt_at_a_run_is_not_made_before_its_time(bench: Bench) -> None:
    bench.settings(retry_seconds=60.0)
    bench.plan(score="75")
    first, second = bench.queued()
    bench.scoring.score(first)
    again = bench.value("select id from runs where attempt = 2")
    assert bench.value("select next_attempt_at - created_at > '29 s' from runs where id = %s", again)
    assert claim(bench, again) is None
    bench.queue.scored.clear()
    bench.scoring.sweep()
    assert bench.queue.scored == [second]
    bench.run("update runs set next_attempt_at = now() where id = %s", again)
    bench.settings(hint_seconds=60.0)
    bench.scoring.sweep()
    assert bench.queue.scored == [second, again], "it is due, and nobody was told of it yet"
    assert claim(bench, again) == again


def test_the_next_check_of_an_archive_is_not_made_before_its_time(bench: Bench) -> None:
    bench.settings(retry_seconds=60.0)
    bench.plan(gate="75")
    made = bench.uploaded()
    bench.scoring.validate(made)
    bench.plan(gate="accept")
    bench.scoring.sweep()
    assert bench.queue.validated == []
    bench.scoring.validate(made)
    assert bench.get(made).state is State.VALIDATING
    bench.run("update submissions set gate_expires_at = now() - interval '1 s' where id = %s", made)
    bench.scoring.sweep()
    assert bench.queue.validated == [made]


def test_a_submission_that_never_gets_an_archive_ends(bench: Bench) -> None:
    made = bench.uploaded()
    bench.run(
        "update submissions set state = 'created', state_changed_at = now() - interval '2 hours' where id = %s", made
    )
    bench.scoring.sweep()
    assert bench.get(made).state is State.CREATED
    bench.settings(upload_patience_seconds=3600.0)
    bench.run(
        "insert into uploads (submission_id, archive_key, part_bytes, most_bytes, expires_at)"
        " values (%s, 'k', 1, 1, now() + interval '1 hour')",
        made,
    )
    bench.scoring.sweep()
    assert bench.get(made).state is State.CREATED, "its archive is on its way"
    bench.run("update uploads set expires_at = now() - interval '1 s'")
    bench.scoring.sweep()
    assert bench.get(made).state is State.WITHDRAWN
    last = "select detail from submission_events where submission_id = %s order by id desc limit 1"
    assert bench.value(last, made) == "no archive came in time"


def test_what_has_used_up_its_attempts_is_a_dead_letter_with_its_last_attempt(bench: Bench) -> None:
    bench.plan(score="75")
    first, _ = bench.queued()
    bench.scoring.score(first)
    while bench.get(bench.owner_of(first)).state is not State.FAILED:
        bench.scoring.score(bench.queue.scored[-1])
    bench.plan(gate="70")
    unchecked = bench.uploaded(team="Others")
    bench.scoring.validate(unchecked)
    with transaction(bench.scoring.pool) as conn:
        gate, run = store.dead_letters(conn, limit=10, after=None)
    assert (gate.submission_id, gate.run_id, gate.failure_code) == (unchecked, None, "gate-failed")
    assert (run.submission_id, run.attempt, run.error_code) == (bench.owner_of(first), 3, "retry")
    assert run.worker == "worker-1"
    assert run.can_be_retried
