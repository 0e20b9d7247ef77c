from __future__ import annotations

import json
from uuid import uuid4

import pytest

from server.curation.seed import seed
from server.db.pool import transaction
from tests.pages import walk

ENTRY = {
    "benchmark": "gsi-bench",
    "model": "A new model",
    "organization": "Org",
    "access": "closed",
    "access_date": "2026-11-20",
    "source_url": "https://example.org/report",
    "source_note": "Table 3",
    "scores": {"gsi-real": {"ic": 50.5, "avg": 60}},
}


@pytest.fixture(autouse=True)
def seeded(pool):
    with transaction(pool) as conn:
        seed(conn)


@pytest.fixture
def added(client, maintainer):
    answer = client.post("/baselines", json=ENTRY, headers=maintainer)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _board(client):
    rows = client.get("/benchmarks/gsi-bench/leaderboard?subset=gsi-real").json()["rows"]
    return {row["model"]: row for row in rows}


def _acts(client, maintainer):
    return client.get("/audit", headers=maintainer).json()["audit"]


def _paper_entry(client, model):
    found = client.get("/baselines?benchmark=gsi-bench").json()["baselines"]
    return next(entry for entry in found if entry["model"] == model)


def test_an_added_entry_stands_on_the_board_with_its_provenance(client, added):
    assert {name: added[name] for name in ENTRY} == ENTRY
    row = _board(client)["A new model"]
    assert (row["rank"], row["provenance"], row["source_url"]) == (1, "curated", ENTRY["source_url"])
    assert row["scores"] == {"ic": 50.5, "avg": 60.0}


def test_every_act_is_in_the_log_newest_first_with_what_changed(client, maintainer, added):
    path = f"/baselines/{added['id']}"
    client.patch(path, json={"source_note": "Table 4", "scores": {"gsi-real": {"ic": 51}}}, headers=maintainer)
    client.post(f"{path}/retire", json={"reason": "superseded"}, headers=maintainer)
    retire, edit, add, seeding = _acts(client, maintainer)
    assert [act["action"] for act in (retire, edit, add)] == ["baseline.retire", "baseline.edit", "baseline.add"]
    assert {act["subject"] for act in (retire, edit, add)} == {added["id"]}
    assert {act["actor"].split(":")[0] for act in (retire, edit, add)} == {"maintainer"}
    assert edit["detail"]["source_note"] == {"from": "Table 3", "to": "Table 4"}
    assert edit["detail"]["scores"]["from"] != edit["detail"]["scores"]["to"]
    assert set(edit["detail"]) == {"source_note", "scores"}
    assert retire["detail"]["reason"] == "superseded"
    assert add["detail"]["scores"] == ENTRY["scores"]
    assert seeding["action"] == "baseline.seed"


def test_a_refused_act_leaves_no_trace(client, maintainer, added):
    before = _acts(client, maintainer)
    client.post("/baselines", json=ENTRY, headers=maintainer)
    client.patch(f"/baselines/{added['id']}", json={"scores": {"gsi-moon": {"ic": 1}}}, headers=maintainer)
    assert _acts(client, maintainer) == before
    assert client.get(f"/baselines/{added['id']}").json() == added


def test_an_edit_changes_what_is_named_and_nothing_else(client, maintainer, added):
    change = {"model": "Renamed", "scores": {"gsi-real": {"sa": 12.5, "ic": None}}}
    edited = client.patch(f"/baselines/{added['id']}", json=change, headers=maintainer).json()
    kept = {"organization", "access", "access_date", "source_url", "source_note", "created_at"}
    assert {name: edited[name] for name in kept} == {name: added[name] for name in kept}
    assert edited["model"] == "Renamed"
    assert edited["scores"] == {"gsi-real": {"sa": 12.5, "avg": 60}}


def test_what_may_be_empty_can_be_taken_away(client, maintainer, added):
    client.patch(f"/baselines/{added['id']}", json={"size": "7B"}, headers=maintainer)
    edited = client.patch(f"/baselines/{added['id']}", json={"size": None}, headers=maintainer).json()
    assert edited["size"] is None


def test_an_edit_that_changes_nothing_is_not_logged(client, maintainer, added):
    before = _acts(client, maintainer)
    change = {"source_note": ENTRY["source_note"], "scores": {"gsi-real": {"ic": 50.5, "sa": None}}}
    answer = client.patch(f"/baselines/{added['id']}", json=change, headers=maintainer)
    assert (answer.status_code, answer.json()) == (200, added)
    assert _acts(client, maintainer) == before


FIVE = {"ic": 50, "sa": 60.11, "ac": 70.22, "el": 80.33}  # their mean: 65.165


@pytest.mark.parametrize("avg", [65.165, 65.16, 65.17, 65.18, 65.15])
def test_an_avg_is_the_mean_of_the_four_up_to_rounding(avg, client, maintainer):
    entry = {**ENTRY, "scores": {"gsi-real": {**FIVE, "avg": avg}}}
    assert client.post("/baselines", json=entry, headers=maintainer).status_code == 201


@pytest.mark.parametrize("avg", [65.19, 65.14, 65.2, 6.517, 0])
def test_an_avg_that_is_not_the_mean_of_the_four_is_refused(avg, client, maintainer, added):
    scores = {"gsi-real": {**FIVE, "avg": avg}}
    answer = client.post("/baselines", json={**ENTRY, "model": "Other", "scores": scores}, headers=maintainer)
    assert answer.status_code == 422
    assert "65.1" in answer.json()["detail"]
    change = {"scores": {"gsi-real": {**FIVE, "avg": avg}}}
    assert client.patch(f"/baselines/{added['id']}", json=change, headers=maintainer).status_code == 422


@pytest.mark.parametrize(("decimal", "status"), [(57.6, 201), (57.8, 422), (58, 422)])
def test_a_source_with_one_decimal_is_allowed_its_rounding(decimal, status, client, maintainer):
    row = {"ic": 50.1, "sa": 55.2, "ac": 60.1, "el": 64.6, "avg": decimal}  # mean: 57.5
    answer = client.post("/baselines", json={**ENTRY, "scores": {"gsi-real": row}}, headers=maintainer)
    assert answer.status_code == status


def test_one_of_the_four_cannot_be_changed_away_from_the_avg(client, maintainer):
    entry = _paper_entry(client, "Qwen")
    answer = client.patch(f"/baselines/{entry['id']}", json={"scores": {"gsi-real": {"ic": 0}}}, headers=maintainer)
    assert answer.status_code == 422


def test_only_what_stands_in_a_paper_shows_the_papers_protocol(client, added):
    board = _board(client)
    assert (board["A new model"]["protocol"], board["Ultra"]["protocol"]) == (None, "paper")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"model": None},
        {"source_url": None},
        {"organization": None},
        {"access": None},
        {"access_date": None},
        {"access_date": "2999-01-01"},
        {"scores": {"gsi-real": {"ic": "50"}}},
        {"scores": None},
        {"scores": {"gsi-real": {"ic": None, "avg": None}}},
        {"scores": {"gsi-real": {"speed": 1}}},
        {"scores": {"gsi-real": {"ic": 100.5}}},
        {"benchmark": "blocks"},
    ],
)
def test_an_edit_that_would_leave_nonsense_is_refused(change, client, maintainer, added):
    answer = client.patch(f"/baselines/{added['id']}", json=change, headers=maintainer)
    assert answer.status_code == 422
    assert client.get(f"/baselines/{added['id']}").json() == added


@pytest.mark.parametrize(
    "change",
    [
        {"scores": {}},
        {"scores": {"gsi-real": {}}},
        {"scores": {"gsi-moon": {"ic": 1}}},
        {"scores": {"gsi-real": {"ic": -1}}},
        {"scores": {"gsi-real": {"ic": "NaN"}}},
        {"scores": {"gsi-real": {"ic": None}}},
        {"source_url": "javascript:alert(1)"},
        {"source_url": "https://a\x00b"},
        {"source_url": ""},
        {"access": "secret"},
        {"access_date": "yesterday"},
        {"access_date": "2999-01-01"},
        {"access_date": 1},
        {"access_date": "20261120"},
        {"access_date": "2026-11-20T00:00:00"},
        {"access_date": "2026-02-30"},
        {"access_date": None},
        {"access": None},
        {"organization": None},
        {"organization": " "},
        {"scores": {"gsi-real": {"ic": "50.5"}}},
        {"scores": {"gsi-real": {"ic": True}}},
        {"scores": {"gsi-real": {"ic": 1e999}}},
        {"model": "a\x00b"},
        {"source_note": "a\x00b"},
        {"organization": "\ud800"},
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(change, client, maintainer):
    body = json.dumps({**ENTRY, **change})
    answer = client.post("/baselines", content=body, headers=maintainer | {"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert "A new model" not in _board(client)


def test_a_board_has_one_living_entry_of_a_model_whatever_the_case(client, maintainer, added):
    answer = client.post("/baselines", json={**ENTRY, "model": "a NEW model"}, headers=maintainer)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    renamed = client.patch(f"/baselines/{added['id']}", json={"model": "qwen"}, headers=maintainer)
    assert renamed.status_code == 409


def test_a_retired_entry_leaves_the_board_and_stays_on_record(client, maintainer, added, login):
    path = f"/baselines/{added['id']}"
    client.post(f"{path}/retire", json={"reason": "superseded"}, headers=maintainer)
    assert "A new model" not in _board(client)
    kept = client.get(path, headers=maintainer).json()
    assert (kept["retired_reason"], kept["scores"]) == ("superseded", added["scores"])
    assert client.get(path).status_code == client.get(path, headers=login("Team")).status_code == 404
    listed = {entry["id"] for entry in client.get("/baselines", headers=maintainer).json()["baselines"]}
    assert added["id"] in listed
    assert added["id"] not in {entry["id"] for entry in client.get("/baselines").json()["baselines"]}


def test_a_retired_entry_can_be_neither_edited_nor_retired_again_but_replaced(client, maintainer, added):
    path = f"/baselines/{added['id']}"
    client.post(f"{path}/retire", json={"reason": "superseded"}, headers=maintainer)
    assert client.patch(path, json={"source_note": "x"}, headers=maintainer).status_code == 409
    assert client.post(f"{path}/retire", json={"reason": "again"}, headers=maintainer).status_code == 409
    assert client.post("/baselines", json=ENTRY, headers=maintainer).status_code == 201


@pytest.mark.parametrize("reason", ["", "  ", "x", "a\x00bc", "y" * 501])
def test_a_reason_is_needed_to_retire(reason, client, maintainer, added):
    answer = client.post(f"/baselines/{added['id']}/retire", json={"reason": reason}, headers=maintainer)
    assert answer.status_code == 422


def test_seeding_brings_back_nothing_that_a_maintainer_retired_or_changed(client, maintainer, pool):
    retired, edited = _paper_entry(client, "Ultra"), _paper_entry(client, "Qwen")
    client.post(f"/baselines/{retired['id']}/retire", json={"reason": "withdrawn"}, headers=maintainer)
    change = {"scores": {"gsi-real": {"avg": 43.45, "ic": None}}}
    assert client.patch(f"/baselines/{edited['id']}", json=change, headers=maintainer).status_code == 200
    with transaction(pool) as conn:
        assert seed(conn) == []
    assert "Ultra" not in _board(client)
    assert _board(client)["Qwen"]["scores"]["avg"] == 43.45


def test_an_entry_from_a_paper_keeps_its_name(client, maintainer):
    entry = _paper_entry(client, "Ultra")
    assert client.patch(f"/baselines/{entry['id']}", json={"model": "Other"}, headers=maintainer).status_code == 422


@pytest.mark.parametrize("name", ["organization", "access", "access_date", "source_url"])
def test_an_entry_without_its_provenance_is_refused(name, client, maintainer):
    entry = {key: value for key, value in ENTRY.items() if key != name}
    answer = client.post("/baselines", json=entry, headers=maintainer)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [name]


def test_what_does_not_exist_is_not_found(client, maintainer):
    assert client.get(f"/baselines/{uuid4()}").status_code == 404
    assert client.patch(f"/baselines/{uuid4()}", json={"model": "x"}, headers=maintainer).status_code == 404
    assert client.post("/baselines", json={**ENTRY, "benchmark": "nothing"}, headers=maintainer).status_code == 404


def test_the_list_and_the_log_come_in_pages(client, maintainer):
    everything = client.get("/baselines?limit=200").json()["baselines"]
    pages = [page["baselines"] for page in walk(client, "/baselines?limit=7", {})]
    assert len(everything) == 19
    assert [len(page) for page in pages] == [7, 7, 5]
    assert [entry for page in pages for entry in page] == everything
    client.post("/baselines", json=ENTRY, headers=maintainer)
    acts = [act["action"] for page in walk(client, "/audit?limit=1", maintainer) for act in page["audit"]]
    assert acts[0] == "baseline.add"
    assert acts == [act["action"] for act in client.get("/audit", headers=maintainer).json()["audit"]]
