from __future__ import annotations

import pytest

from server.db.pool import transaction
from server.submissions import store
from server.submissions.lifecycle import MOVES, SHOWING_SCORES, TITLES, UNSETTLED, State, sources_of
from tests import making

ENDS = {State.REJECTED, State.WITHDRAWN}


def _reachable(start):
    found, waiting = set(), [start]
    while waiting:
        state = waiting.pop()
        if state not in found:
            found.add(state)
            waiting += MOVES[state]
    return found


def test_every_state_has_its_moves_and_its_title():
    assert set(MOVES) == set(TITLES) == set(State)


def test_every_state_is_reached_from_the_beginning():
    assert _reachable(State.CREATED) == set(State)


def test_only_the_ends_have_no_way_out():
    assert {state for state in State if not MOVES[state]} == ENDS


@pytest.mark.parametrize("state", sorted(UNSETTLED))
def test_whatever_we_owe_work_on_can_fail_or_be_withdrawn(state):
    assert {State.FAILED, State.WITHDRAWN} <= MOVES[state]


def test_nothing_is_published_that_was_not_scored():
    assert set(sources_of(State.PUBLISHED)) == {State.SCORED, State.EMBARGOED, State.DELISTED}
    assert set(sources_of(State.SCORED)) == {State.SCORING, State.PUBLISHED, State.EMBARGOED, State.DISQUALIFIED}
    for state in (State.EMBARGOED, State.DELISTED, State.DISQUALIFIED):
        assert set(sources_of(state)) <= SHOWING_SCORES


def test_a_rejected_submission_comes_from_the_check_alone():
    assert sources_of(State.REJECTED) == [State.VALIDATING]


@pytest.mark.parametrize("source", State)
def test_the_database_makes_the_allowed_moves_and_no_other(source, pool, blocks):
    for target in State:
        with transaction(pool) as conn:
            made = making.submission(conn, blocks, state=source)
            before = store.events(conn, made)
            moved = store.move(conn, made, target, detail="why")
            after = store.events(conn, made)
            found = store.get(conn, made)
        assert moved is (target in MOVES[source])
        assert found.state is (target if moved else source)
        if moved:
            assert after[:-1] == before
            assert (after[-1].state, after[-1].detail) == (target, "why")
        else:
            assert after == before


def test_a_schema_state_exists_for_every_state_and_no_other(pool):
    with transaction(pool) as conn:
        rows = conn.execute("select unnest(enum_range(null::submission_state))::text").fetchall()
    assert {row[0] for row in rows} == set(State)
