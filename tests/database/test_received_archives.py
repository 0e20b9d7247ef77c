"""Archives that arrived in parts, from their completion to the score: what is recorded is what was read."""

from __future__ import annotations

import hashlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from server.db.pool import transaction
from server.scoring import folders
from server.scoring.process_runner import ProcessRunner
from server.scoring.service import Scoring
from server.storage.local import LocalStorage
from server.submissions import service as submissions
from server.submissions import store as submission_store
from server.submissions.multipart import store
from tests import making
from tests.uploading import PART, begun, part

CONTENT = b"a" * PART + b"the end"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def scoring(settings, pool, storage, queue, tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"gate": "accept", "score": "ok"}')
    scripted = Path(__file__).parents[1] / "scripted_scorer.py"
    runner = ProcessRunner(command=[sys.executable, str(scripted), str(plan)], beat_seconds=0.05)
    return Scoring(settings=settings, pool=pool, storage=storage, queue=queue, runner=runner, owner="worker")


@pytest.fixture
def received(pool, storage, blocks):
    def receive(*, declared: str | None = None) -> UUID:
        contents = [CONTENT[:PART], CONTENT[PART:]]
        with transaction(pool) as conn:
            submission = making.submission(conn, blocks)
            upload = begun(conn, storage, submission, *contents)
            parts = [part(number, content) for number, content in enumerate(contents, start=1)]
            storage.parts.complete(upload.key, store.get(conn, submission, upload.id).storage_id, parts)
            store.end(conn, upload.id, "completed", sha256=declared)
            submissions.accept_unread_archive(conn, submission, key=upload.key, size=len(CONTENT))
        return submission

    return receive


def _get(pool, submission):
    with transaction(pool) as conn:
        return submission_store.get(conn, submission)


@pytest.mark.parametrize("declared", [None, SHA256])
def test_the_hash_on_record_is_the_one_that_was_read_and_scored(declared, scoring, received, pool, queue):
    submission = received(declared=declared)
    assert _get(pool, submission).archive_sha256 is None
    scoring.validate(submission)
    found = _get(pool, submission)
    assert (found.state, found.archive_sha256, found.archive_bytes) == ("queued", SHA256, len(CONTENT))
    for run in queue.scored:
        scoring.score(run)
    assert _get(pool, submission).state == "scored"


def test_an_archive_that_is_not_the_announced_one_is_rejected_in_words_and_leaves_nothing(
    scoring, received, pool, tmp_path
):
    submission = received(declared="0" * 64)
    scoring.validate(submission)
    found = _get(pool, submission)
    assert (found.state, found.archive_sha256, found.archive_key) == ("rejected", SHA256, None)
    assert [defect["code"] for defect in found.defects] == ["archive-differs"]
    assert SHA256 in found.defects[0]["message"]
    assert not [p for p in (tmp_path / "storage").rglob("*") if p.is_file() and "benchmarks" not in p.parts]


def _spoil(pool, storage, submission):
    key = _get(pool, submission).archive_key
    storage.delete(key)
    storage.put(key, [b"something else"], max_bytes=100)


def test_an_archive_that_changed_between_check_and_scoring_is_not_scored(scoring, received, pool, storage, queue):
    submission = received()
    scoring.validate(submission)
    _spoil(pool, storage, submission)
    scoring.score(queue.scored[0])
    with transaction(pool) as conn:
        assert conn.execute("select count(*) from scores").fetchone() == (0,)
        state = conn.execute("select error_message from runs where id = %s", (queue.scored[0],)).fetchone()[0]
    assert state == "The stored archive is not the one that was checked."


def test_an_archive_that_changed_after_it_was_received_is_not_checked(scoring, received, pool, storage):
    submission = received()
    with transaction(pool) as conn:
        conn.execute("update submissions set archive_sha256 = %s where id = %s", ("1" * 64, submission))
    scoring.validate(submission)
    assert _get(pool, submission).state == "validating", "it is tried again: ours to mend"


def test_the_lease_is_kept_while_an_archive_is_fetched(scoring, received, pool, tmp_path):
    held = []

    class Slow(LocalStorage):
        def read(self, key):
            for chunk in super().read(key):
                time.sleep(0.4)
                with transaction(pool) as conn:
                    row = conn.execute("select gate_expires_at > now() from submissions where id = %s", (submission,))
                    held.append(row.fetchone()[0])
                yield chunk

    submission = received()
    settings = scoring.settings.model_copy(update={"lease_seconds": 0.6})
    replace(scoring, settings=settings, storage=Slow(tmp_path / "storage")).validate(submission)
    assert held == [True, True]
    assert _get(pool, submission).state == "queued"


def test_a_lost_lease_ends_the_fetching(scoring, tmp_path, storage, benchmark_zips, pool, blocks, received):
    submission = received()
    with transaction(pool) as conn:
        version = folders.version_of(conn, "blocks", blocks.version)
    steps = []

    def each():
        steps.append(1)
        raise LookupError

    with pytest.raises(LookupError):
        folders.fill_for_gate(
            tmp_path, storage, archive_key=_get(pool, submission).archive_key, version=version, each=each
        )
    assert steps == [1]
