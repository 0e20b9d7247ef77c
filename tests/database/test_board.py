from __future__ import annotations

import time

import pytest

from server.curation import service as curation
from server.curation.model import NewEntry
from server.db.pool import transaction
from server.leaderboard import service
from server.submissions.lifecycle import State
from tests import making
from tests.making import everywhere, flat

TABLETOP, ROOM = "blocks-tabletop", "blocks-room"


@pytest.fixture
def published(conn, blocks):
    def publish(model, numbers, *, state=State.PUBLISHED, team="Owners"):
        return making.submission(conn, blocks, state=state, model=model, numbers=numbers, team=team)

    return publish


def _ranks(conn, *, subset=None, operation=None):
    board = service.board(conn, "blocks", subset=subset, operation=operation)
    return [(entry.rank, entry.model) for entry in board.entries]


def test_equal_values_share_a_rank_and_the_next_one_is_left_out(conn, published):
    for model, value in (("Low", 10.0), ("Tie B", 50.0), ("Tie A", 50.0), ("Top", 90.0)):
        published(model, everywhere(value))
    assert _ranks(conn) == [(1, "Top"), (2, "Tie A"), (2, "Tie B"), (4, "Low")]


def test_values_that_look_equal_to_two_decimals_share_a_rank(conn, published):
    published("A", everywhere(50.001))
    published("B", everywhere(50.004))
    assert _ranks(conn) == [(1, "A"), (1, "B")]


def test_an_entry_without_the_ranking_number_stands_last_without_a_rank(conn, published):
    published("No average", {subset: {"all": {"ic": 99.0}} for subset in (TABLETOP, ROOM)})
    published("Low", everywhere(1.0))
    assert _ranks(conn) == [(1, "Low"), (None, "No average")]


def test_zero_is_a_number_and_ranks(conn, published):
    published("Zero", everywhere(0.0))
    assert _ranks(conn) == [(1, "Zero")]


def test_the_mean_shows_only_entries_that_have_every_subset(conn, published):
    published("Both", {TABLETOP: {"all": flat(20.0)}, ROOM: {"all": flat(40.0)}})
    published("One", {TABLETOP: {"all": flat(99.0)}})
    assert _ranks(conn) == [(1, "Both")]
    assert _ranks(conn, subset=TABLETOP) == [(1, "One"), (2, "Both")]
    assert _ranks(conn, subset=ROOM) == [(1, "Both")]
    entry = service.board(conn, "blocks", subset=None, operation=None).entries[0]
    assert entry.scores == flat(30.0)


def test_an_operation_has_its_own_ranks(conn, published):
    published("Mover", {s: {"all": flat(10.0), "move": flat(90.0), "remove": flat(5.0)} for s in (TABLETOP, ROOM)})
    published("Remover", {s: {"all": flat(50.0), "move": flat(5.0), "remove": flat(90.0)} for s in (TABLETOP, ROOM)})
    assert _ranks(conn) == [(1, "Remover"), (2, "Mover")]
    assert _ranks(conn, operation="move") == [(1, "Mover"), (2, "Remover")]
    assert _ranks(conn, operation="remove") == [(1, "Remover"), (2, "Mover")]


def test_an_operation_that_only_one_subset_has_is_averaged_over_that_one(conn, published, blocks):
    conn.execute(
        "update benchmark_versions set manifest = jsonb_set(manifest, '{samples}', (select jsonb_agg(one) from"
        " jsonb_array_elements(manifest -> 'samples') one"
        " where not (one ->> 'subset' = %s and one ->> 'operation' = 'move')))",
        (ROOM,),
    )
    published("Mover", {TABLETOP: {"all": flat(10.0), "move": flat(90.0)}, ROOM: {"all": flat(10.0)}})
    assert _ranks(conn, operation="move") == [(1, "Mover")]
    assert _ranks(conn, operation="move", subset=ROOM) == []


@pytest.mark.parametrize("state", [state for state in State if state is not State.PUBLISHED])
def test_what_is_not_published_never_appears(conn, published, state):
    published("Hidden", everywhere(99.0), state=state)
    assert _ranks(conn) == []


def test_numbers_of_an_earlier_content_or_protocol_are_not_compared_with_todays(conn, published):
    published("Present", everywhere(10.0))
    old_content = published("Old content", everywhere(99.0))
    old_protocol = published("Old protocol", None)
    conn.execute(
        "insert into benchmark_versions select benchmark_id, 'old', manifest, public_key, hidden_key, detector, judge"
        " from benchmark_versions"
    )
    conn.execute("update submissions set benchmark_version = 'old' where id = %s", (old_content,))
    conn.execute("update submissions set protocol = 'gsi-older' where id = %s", (old_protocol,))
    for subset, operations in everywhere(99.0).items():
        making.score(conn, old_protocol, subset=subset, operations=operations)
    assert _ranks(conn) == [(1, "Present")]


def test_curated_entries_stand_on_the_same_board_until_they_are_retired(conn, published):
    published("Ours", everywhere(50.0))
    new = NewEntry(
        benchmark="blocks",
        model="Theirs",
        source_url="https://example.org",
        scores={TABLETOP: {"avg": 60.0}, ROOM: {"avg": 61.0}},
    )
    entry = curation.add(conn, new, actor="maintainer:x")
    assert _ranks(conn) == [(1, "Theirs"), (2, "Ours")]
    assert _ranks(conn, operation="move") == []
    curation.retire(conn, entry.id, reason="gone", actor="maintainer:x")
    assert _ranks(conn) == [(1, "Ours")]


def test_a_board_of_three_hundred_entries_is_ranked_in_less_than_a_second(pool, blocks):

    with transaction(pool) as conn:
        for number in range(300):
            making.submission(
                conn, blocks, state=State.PUBLISHED, model=f"Model {number}", numbers=everywhere(number / 3)
            )
    with transaction(pool) as conn:
        start = time.perf_counter()
        board = service.board(conn, "blocks", subset=None, operation=None)
        assert time.perf_counter() - start < 1
    assert board.entries[0].model == "Model 299"
