"""gsi quota, gsi moderate, gsi publish --embargo, over the fake service."""

import json

import pytest

from tests.unit.frontend.fake_api import Service
from tests.unit.frontend.test_cli import Run, run  # noqa: F401 - a fixture


@pytest.fixture
def scored(run: Run, service: Service) -> str:  # noqa: F811 - the fixture
    """A scored submission of team Lab, whose token is saved."""
    assert run("login", "--team", "Lab").exit_code == 0
    made = "6f1c1b9e-0000-4000-8000-000000000001"
    service.submissions[made] = {
        "id": made, "benchmark": "blocks", "model": "Editor", "team": "Lab", "state": "scored", "events": [],
        "created_at": "2026-11-23T10:00:00Z",
    }  # fmt: skip
    return made


def test_a_team_sees_what_it_may_still_submit(run: Run) -> None:  # noqa: F811
    run("login", "--team", "Lab")
    shown = run("quota", "show")
    assert shown.exit_code == 0, shown.output
    for part in ("today", "3", "160", "no limit", "2026-11-24"):
        assert part in shown.output
    assert json.loads(run("quota", "show", "--json").output)["per_day"]["remaining"] == 3


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2027-01-31", "2027-01-31T00:00:00+00:00"),
        ("2027-01-31T18:00+01:00", "2027-01-31T18:00:00+01:00"),
    ],
)
def test_an_embargo_is_a_day_or_a_time(given: str, sent: str, run: Run, scored: str, service: Service) -> None:  # noqa: F811
    done = run("publish", scored, "--embargo", given)
    assert done.exit_code == 0, done.output
    assert service.submissions[scored]["state"] == "embargoed"
    assert service.submissions[scored]["embargo_until"] == sent


@pytest.mark.parametrize("wrong", [["--embargo", "next week"], ["--embargo", "2027-01-31", "--undo"]])
def test_an_embargo_that_is_no_date_is_refused_before_anything_is_sent(
    wrong: list[str],
    run: Run,  # noqa: F811
    scored: str,
    service: Service,
) -> None:
    assert run("publish", scored, *wrong).exit_code == 2
    assert service.submissions[scored]["state"] == "scored"


def test_a_maintainer_hides_shows_disqualifies_and_reinstates_with_a_reason(
    run: Run,  # noqa: F811
    scored: str,
    service: Service,
) -> None:
    run("login", "--maintainer")
    states = {"hide": "delisted", "show": "published", "disqualify": "disqualified", "reinstate": "scored"}
    for verb, state in states.items():
        assert run("moderate", verb, scored).exit_code == 2, "without a reason"
        done = run("moderate", verb, scored, "--reason", "a rule")
        assert done.exit_code == 0, done.output
        assert service.submissions[scored]["state"] == state
        assert service.audit[0]["detail"] == {"reason": "a rule"}


def test_a_team_may_not_moderate(run: Run, scored: str, service: Service) -> None:  # noqa: F811
    assert run("moderate", "hide", scored, "--reason", "a rule").exit_code == 77
    assert service.submissions[scored]["state"] == "scored"


def test_a_maintainer_limits_grants_lists_and_revokes(run: Run, service: Service) -> None:  # noqa: F811
    run("login", "--maintainer")
    limited = run("quota", "limit", "--per-day", "7", "--total", "none")
    assert "7 today, no limit in all" in limited.output
    assert service.audit[0]["detail"] == {"per_day": 7, "total": None}
    assert run("quota", "limit").exit_code == 2
    assert run("quota", "limit", "--per-day", "many").exit_code == 2
    granted = run(
        "quota", "grant", "--of-team", "Lab", "--extra", "2", "--reason", "camera-ready", "--until", "2027-01-31"
    )
    assert "Lab, blocks, 2 more today" in granted.output
    assert service.grants[0]["expires_at"] == "2027-01-31T00:00:00+00:00"
    listed = run("quota", "grants")
    assert "camera-ready" in listed.output
    assert "until 2027-01-31" in listed.output
    assert run("quota", "revoke", service.grants[0]["id"]).exit_code == 0
    assert "revoked" in run("quota", "grants").output
