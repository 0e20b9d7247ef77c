from __future__ import annotations

from datetime import timedelta

import pytest

from server.benchmarks import store as benchmarks
from server.benchmarks.model import Subset, Version
from server.scoring import store
from server.submissions.lifecycle import State
from tests import making

AT_ONCE = timedelta(0)
OLD = ["blocks-tabletop", "blocks-room"]


@pytest.fixture
def overtaken(conn, blocks):
    """A submission being scored on a content that another one, with other subsets, has followed."""
    made = making.submission(conn, blocks, state=State.SCORING)
    new = Version(
        benchmark_id="blocks",
        version="new",
        manifest={"subsets": [{"id": "blocks-garden"}], "samples": []},
        public_key="p",
        hidden_key="h",
        detector="d",
        judge="j",
    )
    benchmarks.put_subsets(conn, "blocks", [Subset(benchmark_id="blocks", id="blocks-garden", title="G", samples=1)])
    benchmarks.add_version(conn, new)
    conn.execute("update submissions set state_changed_at = now() - interval '1 hour'")
    return made


def test_a_submission_is_scored_on_the_subsets_it_was_made_for(conn, overtaken):
    assert store.unscored_subsets(conn, overtaken) == OLD
    assert [stuck.id for stuck in store.runless_submissions(conn, patience=AT_ONCE)] == [overtaken]
    assert store.settleable_submissions(conn, patience=AT_ONCE) == []


def test_a_submission_is_done_when_the_subsets_it_was_made_for_are(conn, overtaken):
    for subset in OLD:
        making.score(conn, overtaken, subset=subset, operations={"all": making.flat(50)})
    assert store.unscored_subsets(conn, overtaken) == []
    assert store.runless_submissions(conn, patience=AT_ONCE) == []
    assert [stuck.id for stuck in store.settleable_submissions(conn, patience=AT_ONCE)] == [overtaken]
