from __future__ import annotations

import json
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner

from frontend.cli import register
from server.db.pool import transaction
from server.submissions import store
from server.submissions.lifecycle import State
from tests import making
from tests.reporting import CANARY, keep_reports, report
from tests.serving import served

ROOM, TABLETOP = "blocks-room", "blocks-tabletop"


@pytest.fixture
def scored(pool, storage, blocks):
    """A scored submission of the team Owners with its two reports in the storage."""
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORED, numbers=making.everywhere(70))
        keep_reports(conn, storage, made)
    return made


def _key(pool, submission, subset):
    with transaction(pool) as conn:
        return {one.subset: one.report_key for one in store.reports(conn, submission)}[subset]


def _acts(client, maintainer):
    acts = client.get("/audit", headers=maintainer).json()["audit"]
    return [act for act in acts if act["action"] == "submission.explained"]


def test_the_list_says_which_subsets_have_a_report_and_what_is_suspicious(client, maintainer, scored):
    answer = client.get(f"/submissions/{scored}/reports", headers=maintainer)
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()["reports"]
    assert [one["subset"] for one in found] == [ROOM, TABLETOP]
    assert all(one["readable"] for one in found)
    assert found[0]["protocols"] == [
        {"protocol": "gsi-fair-1", "samples": 3, "suspicious": 1},
        {"protocol": "gsi-official-1", "samples": 3, "suspicious": 0},
    ]


def test_a_report_is_answered_as_the_scorer_wrote_it_and_kept_by_nobody(client, maintainer, scored):
    answer = client.get(f"/submissions/{scored}/reports/{ROOM}", headers=maintainer)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == report(ROOM)


def test_every_look_at_a_report_is_in_the_audit_log(client, maintainer, scored):
    listed = client.get(f"/submissions/{scored}/reports", headers=maintainer).json()["reports"]
    client.get(f"/submissions/{scored}/reports/{ROOM}", headers=maintainer)
    one, both = _acts(client, maintainer)
    assert one["subject"] == both["subject"] == str(scored)
    assert one["detail"] == {"subset": ROOM, "run": listed[0]["run"]}
    assert both["detail"] == {"subsets": [ROOM, TABLETOP]}


def test_a_team_that_asks_for_a_report_leaves_no_act(client, login, maintainer, scored):
    for path in ("reports", f"reports/{ROOM}"):
        assert client.get(f"/submissions/{scored}/{path}", headers=login("Owners")).status_code == 403
    assert _acts(client, maintainer) == []


@pytest.mark.parametrize("path", ["reports", f"reports/{ROOM}"])
def test_there_is_no_report_of_what_does_not_exist(path, client, maintainer, scored):
    assert client.get(f"/submissions/{uuid4()}/{path}", headers=maintainer).status_code == 404


def test_a_subset_without_a_report_is_not_found_and_those_that_have_one_are_named(client, maintainer, scored):
    answer = client.get(f"/submissions/{scored}/reports/blocks-garden", headers=maintainer)
    assert answer.status_code == 404
    assert f"{ROOM}, {TABLETOP}" in answer.json()["remedy"]


def test_a_submission_that_was_never_scored_has_no_reports(client, maintainer, pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.QUEUED)
    assert client.get(f"/submissions/{made}/reports", headers=maintainer).json() == {"reports": []}
    answer = client.get(f"/submissions/{made}/reports/{ROOM}", headers=maintainer)
    assert answer.status_code == 404
    assert "no subset has been scored" in answer.json()["remedy"]


def test_an_attempt_that_gave_nothing_has_no_report(client, maintainer, pool, blocks):
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING)
        making.score(conn, made, subset=ROOM, operations={}, state="lost")
    assert client.get(f"/submissions/{made}/reports", headers=maintainer).json() == {"reports": []}


def test_a_report_that_the_storage_lost_is_listed_as_such_and_hides_no_other(client, maintainer, scored, pool, storage):
    storage.delete(_key(pool, scored, ROOM))
    room, tabletop = client.get(f"/submissions/{scored}/reports", headers=maintainer).json()["reports"]
    assert (room["readable"], room["protocols"], tabletop["readable"]) == (False, [], True)
    answer = client.get(f"/submissions/{scored}/reports/{ROOM}", headers=maintainer)
    assert (answer.status_code, answer.json()["code"]) == (503, "object-missing")
    assert room["run"] in answer.json()["detail"]


def test_a_report_of_another_version_is_listed_as_unreadable(client, maintainer, scored, pool, storage):
    old = json.dumps({"schema": "gsi-report/1", "samples": [CANARY]}).encode()
    storage.put(_key(pool, scored, ROOM), [old], max_bytes=len(old))
    answer = client.get(f"/submissions/{scored}/reports", headers=maintainer)
    assert [one["readable"] for one in answer.json()["reports"]] == [False, True]
    assert CANARY not in answer.text


def test_the_command_line_explains_a_number_of_the_service_to_maintainers_alone(app, scored, tmp_path):
    commands = typer.Typer()
    register(commands)
    with served(app) as port:
        environment = {"GSI_URL": f"http://127.0.0.1:{port}", "XDG_CONFIG_HOME": str(tmp_path), "GSI_TOKEN": ""}

        def run(*words):
            return CliRunner().invoke(commands, list(words), env=environment)

        run("login", "--team", "Owners")
        refused = run("explain", str(scored))
        assert refused.exit_code == 77
        assert "gsi login --maintainer" in refused.output
        run("login", "--maintainer")
        shown = run("explain", str(scored), "--sample", f"{TABLETOP}-02_edit_1")
        assert shown.exit_code == 0, shown.output
        assert CANARY in shown.output
        assert "0.0123456789012" in shown.output
        acts = json.loads(run("audit", "--json").stdout)
        looks = [act["detail"].get("subset") for act in acts if act["action"] == "submission.explained"]
        assert looks == [TABLETOP, ROOM, None]
    assert CANARY not in refused.output
