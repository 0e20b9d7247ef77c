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
from tests.serving import served


@pytest.fixture
def dead(pool, blocks):
    """A submission whose only run failed."""
    with transaction(pool) as conn:
        made = making.submission(conn, blocks, state=State.SCORING, team="Owners", model="Unlucky")
        conn.execute(
            "insert into runs (id, submission_id, subset, attempt, protocol, benchmark_version, state, error_code,"
            " error_message, lease_owner, finished_at) select %s, id, 'blocks-room', 5, protocol, benchmark_version,"
            " 'failed', 'timed_out', 'it took too long', 'host:7', now() from submissions where id = %s",
            (uuid4(), made),
        )
        assert store.move(conn, made, State.FAILED)
        store.set_failure(conn, made, code="timed-out", title="Too long.", remedy="Wait.")
    return made


def test_maintainers_see_what_could_not_be_finished_and_why(client, maintainer, dead):
    (found,) = client.get("/runs/dead", headers=maintainer).json()["dead"]
    assert found["submission"] == str(dead)
    assert (found["team"], found["model"], found["code"]) == ("Owners", "Unlucky", "timed-out")
    last = found["last_attempt"]
    assert (last["subset"], last["attempt"], last["error"]) == ("blocks-room", 5, "timed_out")
    assert (last["message"], last["worker"]) == ("it took too long", "host:7")
    assert client.get("/runs/dead?limit=1", headers=maintainer).json()["next_cursor"] is None


def test_what_is_tried_again_is_no_dead_letter_and_the_act_is_on_record(client, maintainer, dead, queue):
    (found,) = client.get("/runs/dead", headers=maintainer).json()["dead"]
    again = client.post(found["links"]["retry"].removeprefix("/api/v1"), headers=maintainer)
    assert again.json()["state"] == "uploaded"
    assert queue.validated == [dead]
    assert client.get("/runs/dead", headers=maintainer).json()["dead"] == []
    acts = client.get("/audit", headers=maintainer).json()["audit"]
    assert ("submission.retry", str(dead)) in {(act["action"], act["subject"]) for act in acts}


def test_the_command_line_lists_dead_letters_and_tries_one_again(app, maintainer, login, dead, queue):
    commands = typer.Typer()
    register(commands)
    with served(app) as port:

        def run(*arguments, who=maintainer):
            token = who["authorization"].removeprefix("Bearer ")
            told = {"GSI_TOKEN": token, "GSI_URL": f"http://127.0.0.1:{port}"}
            return CliRunner().invoke(commands, ["runs", *arguments], env=told)

        assert run("dead", who=login("Owners")).exit_code == 77
        (listed,) = json.loads(run("dead", "--json").stdout)
        assert (listed["submission"], listed["error"]) == (str(dead), "timed_out")
        shown = run("dead").output
        assert all(word in shown for word in ("Unlucky", "timed_out", "it took too long", str(dead)))
        assert run("retry", str(dead)).exit_code == 0
        assert queue.validated == [dead]
        assert "Nothing has failed" in run("dead").output


def test_a_failed_submission_shows_its_maintainer_alone_how_to_try_it_again(client, login, maintainer, dead):
    links = [client.get(f"/submissions/{dead}", headers=who).json()["links"] for who in (maintainer, login("Owners"))]
    assert ["retry" in one for one in links] == [True, False]
    client.post(links[0]["retry"].removeprefix("/api/v1"), headers=maintainer)
    assert "retry" not in client.get(f"/submissions/{dead}", headers=maintainer).json()["links"]


def test_no_team_learns_of_dead_letters(client, login, dead):
    for headers in ({}, login("Owners"), login("Others")):
        answer = client.get("/runs/dead", headers=headers)
        assert answer.status_code in {401, 403}
        assert "too long" not in answer.text
