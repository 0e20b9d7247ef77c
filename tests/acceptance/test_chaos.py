"""Submissions while workers, database, broker and storage are killed in every state: nothing is lost or scored twice.

A longer one: `./gsi test tests/acceptance/test_chaos.py --chaos-kills 200 --chaos-seed 7`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from scorer.chunks import Made
from scorer.contract import Report, RunManifest
from tests import scripted_scorer
from tests.acceptance.chaos import CHUNK, SAMPLES, Service, archive_of, running

MEASURED = "scoring, some of it measured"
STATES = ("created", "uploaded", "validating", "queued", "scoring", MEASURED)
VICTIMS = ("worker", "database", "broker", "storage")
SUBMISSIONS = 30
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture
def service(tmp_path: Path) -> Any:
    with running(tmp_path) as started:
        yield started


def undisturbed(service: Service, made: UUID, number: int) -> dict[str, Any]:
    """What a scorer that nobody disturbs says of a submission, in one go."""
    archive = hashlib.sha256(archive_of(number)).hexdigest()
    manifest = RunManifest(
        submission=str(made),
        benchmark="blocks",
        benchmark_version=service.registered.version,
        subset="part",
        protocol="gsi-fair-1",
        beside=["gsi-official-1"],
        detector="blocks-detector-1",
        judge="blocks-judge-1",
        perceptual="msssim-1",
    )
    of_this = Made(manifest=manifest, versions={"code": "scripted"}, weights={}, archive_sha256=archive)
    samples = service.benchmark["samples"]
    found = [scripted_scorer.measured(sample["id"], manifest, archive, "drawn") for sample in samples]
    return scripted_scorer.report(manifest, samples, [of_this.chunk(found, first=0, seconds=1)])


def plan(kills: int, draw: random.Random) -> list[tuple[str, str]]:
    """Which part is killed in which state: every pair, in an order of their own, as often as there are kills."""
    pairs = list(itertools.product(STATES, VICTIMS))
    found: list[tuple[str, str]] = []
    while len(found) < kills:
        found += draw.sample(pairs, len(pairs))
    return found[:kills]


def wait_for_state(service: Service, state: str, *, seconds: float = 4) -> bool:
    """Until a submission is in that state; False when none came to be."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if state == MEASURED:
            found = service.value("select 1 from runs where state = 'running' and done > 0 limit 1")
        else:
            found = service.value("select 1 from submissions where state = %s::submission_state limit 1", state)
        if found:
            return True
        time.sleep(0.02)
    return False


def disturb(service: Service, *, kills: int, seed: int) -> tuple[list[UUID], Counter[tuple[str, str]]]:
    """Submit while parts are killed; the submissions, and which part was killed while one was in which state."""
    draw = random.Random(seed)
    made: list[UUID] = []
    hit: Counter[tuple[str, str]] = Counter()
    for turn, (state, victim) in enumerate(plan(kills, draw)):
        for number in range(len(made), -(-SUBMISSIONS * (turn + 1) // kills)):
            made.append(service.begin(number))
            if state == "created":
                service.kill(victim, number=draw.randrange(100))
                hit[state, victim] += 1
                state = ""
            service.upload(made[number], number)
        if state and wait_for_state(service, state):
            time.sleep(draw.uniform(0, 0.4))
            service.kill(victim, number=draw.randrange(100))
            hit[state, victim] += 1
    return made, hit


def settle(service: Service, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while service.value("select count(*) from submissions where state <> 'scored'"):
        assert time.monotonic() < deadline, service.rows(
            "select s.state::text, s.failure_code, r.state::text, r.attempt, r.error_code, r.error_message"
            " from submissions s left join runs r on r.submission_id = s.id where s.state <> 'scored'"
        )
        service.keep_alive()
        time.sleep(0.2)


def test_nothing_is_lost_or_scored_twice_whatever_is_killed(service: Service, pytestconfig: pytest.Config) -> None:
    kills, seed = pytestconfig.getoption("--chaos-kills"), pytestconfig.getoption("--chaos-seed")
    made, hit = disturb(service, kills=kills, seed=seed)
    settle(service, seconds=120)
    assert len(made) == len(set(made)) == SUBMISSIONS == service.value("select count(*) from submissions")
    assert {victim for _, victim in hit} == set(VICTIMS)
    assert {state for state, _ in hit} == set(STATES)
    assert sum(hit.values()) >= 0.8 * kills, "a state was not met often enough"
    for number, one in enumerate(made):
        expected = undisturbed(service, one, number)
        run = service.value("select id from runs where submission_id = %s and state = 'succeeded'", one)
        report = json.loads(b"".join(service.storage.read(f"runs/{run}/report.json")))
        assert Report.model_validate(report).model_dump() == Report.model_validate(expected).model_dump()
        scores = service.rows(
            "select protocol, operation, dimension, value from scores where submission_id = %s and run_id = %s",
            one,
            run,
        )
        assert {(p, o, d): value for p, o, d, value in scores} == rows_of(expected)
        assert len(scores) == service.value("select count(*) from scores where submission_id = %s", one)
    counted = Counter(service.executed.read_text().split("\n"))
    counted.pop("")
    assert len(counted) == SUBMISSIONS * SAMPLES
    repeated = sum(counted.values()) - len(counted)
    assert repeated <= CHUNK * sum(hit.values()), "more than a chunk was measured again for a kill"
    assert service.value("select count(*) from run_chunks c group by submission_id order by 1 desc limit 1") <= SAMPLES


def rows_of(report: dict[str, Any]) -> dict[tuple[str, str, str], float]:
    return {
        (protocol, operation, dimension): score[dimension]
        for protocol, result in report["results"].items()
        for operation, score in {"all": result["scores"]["overall"], **result["scores"]["operations"]}.items()
        for dimension in ("ic", "sa", "ac", "el", "avg")
    }
