from __future__ import annotations

import csv
import io

import pytest

from server.curation.seed import seed
from server.db.pool import transaction


@pytest.fixture(autouse=True)
def seeded(pool):
    with transaction(pool) as conn:
        return seed(conn)


def _board(client, benchmark, **query):
    answer = client.get(f"/benchmarks/{benchmark}/leaderboard", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_papers_results_stand_on_the_board_best_first(client):
    board = _board(client, "gsi-bench", subset="gsi-real")
    assert board["columns"] == ["ic", "sa", "ac", "el", "avg"]
    assert len(board["rows"]) == 10
    assert [(row["rank"], row["model"], row["scores"]["avg"]) for row in board["rows"][:3]] == [
        (1, "Emu3.5", 43.52),
        (2, "Qwen", 43.44),
        (3, "BAGEL + GSI-Syn", 36.28),
    ]
    assert board["rows"][0]["scores"] == {"ic": 51.7, "sa": 29.51, "ac": 51.7, "el": 41.17, "avg": 43.52}
    assert {row["provenance"] for row in board["rows"]} == {"paper"}


def test_without_a_subset_the_board_shows_the_mean_over_all(client):
    rows = {row["model"]: row for row in _board(client, "gsi-bench")["rows"]}
    assert rows["BAGEL + GSI-Syn"]["scores"]["avg"] == round((36.28 + 48.74 + 24.42) / 3, 2)
    assert rows["BAGEL + GSI-Syn"]["rank"] == 1


@pytest.mark.parametrize(
    ("benchmark", "entries", "first"), [("omnispatial", 6, "Gemini-2.5"), ("sat-real", 3, "BAGEL + GSI-Syn")]
)
def test_a_transfer_board_is_ordered_by_its_overall_accuracy(client, benchmark, entries, first):
    board = _board(client, benchmark)
    assert board["ranked_by"] == board["columns"][0] == "overall"
    assert [row["rank"] for row in board["rows"]] == list(range(1, entries + 1))
    assert board["rows"][0]["model"] == first


def test_an_unknown_subset_is_refused_with_the_known_ones(client):
    answer = client.get("/benchmarks/gsi-bench/leaderboard?subset=gsi-moon")
    assert answer.status_code == 422
    assert "gsi-syn-room" in answer.json()["remedy"]


def test_an_operation_is_refused_where_the_board_has_none(client):
    answer = client.get("/benchmarks/gsi-bench/leaderboard?operation=move")
    assert answer.status_code == 422
    assert "Leave operation out" in answer.json()["remedy"]


def test_an_unknown_board_is_not_found(client):
    assert client.get("/benchmarks/nothing/leaderboard").status_code == 404


def test_a_reader_who_has_the_board_already_gets_no_body(client):
    first = client.get("/benchmarks/gsi-bench/leaderboard")
    again = client.get(
        "/benchmarks/gsi-bench/leaderboard", headers={"if-none-match": f'W/{first.headers["etag"]}, "x"'}
    )
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(
        "/benchmarks/gsi-bench/leaderboard?subset=gsi-real", headers={"if-none-match": first.headers["etag"]}
    )
    assert other.status_code == 200


def test_the_csv_holds_the_same_board(client):
    answer = client.get("/benchmarks/gsi-bench/leaderboard.csv?subset=gsi-real")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="gsi-bench-gsi-real-leaderboard.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    board = _board(client, "gsi-bench", subset="gsi-real")["rows"]
    assert [(line["rank"], line["model"], float(line["avg"])) for line in lines] == [
        (str(row["rank"]), row["model"], row["scores"]["avg"]) for row in board
    ]


def test_seeding_again_adds_nothing(pool, seeded, client):
    before = _board(client, "gsi-bench")
    assert len(seeded) == 19
    with transaction(pool) as conn:
        assert seed(conn) == []
    assert _board(client, "gsi-bench") == before
