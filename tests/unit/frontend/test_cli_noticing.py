"""gsi notices, over the fake service."""

import re

from tests.unit.frontend.fake_api import Service
from tests.unit.frontend.test_cli import Run, run  # noqa: F401 - a fixture


def test_a_team_adds_confirms_tests_lists_and_removes_its_targets(run: Run, service: Service) -> None:  # noqa: F811
    run("login", "--team", "Lab")
    assert "told nowhere" in run("notices", "list").output
    added = run("notices", "webhook", "https://example.org/hook")
    assert "whsec_once" in added.output
    mailed = run("notices", "email", "lab@example.org")
    confirm = re.search(r"gsi notices confirm (\S+)", mailed.output)
    assert confirm
    assert run("notices", "confirm", confirm[1], "wrong").exit_code == 65
    assert "waits for its code" in run("notices", "list").output
    assert run("notices", "confirm", confirm[1], "c0de").exit_code == 0
    listed = run("notices", "list").output
    assert "webhook https://example.org/hook" in listed
    assert "email lab@example.org" in listed
    assert "waits" not in listed
    assert "whsec" not in listed
    assert run("notices", "test", confirm[1]).exit_code == 0
    assert "test to lab@example.org, dead after 8: it answered 503" in run("notices", "deliveries", "--dead").output
    assert run("notices", "retry", "d-1").exit_code == 0
    assert service.deliveries[0]["state"] == "pending"
    assert run("notices", "remove", confirm[1]).exit_code == 0
    assert "lab@example.org" not in run("notices", "list").output
