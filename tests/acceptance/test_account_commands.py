"""`gsi login`, `gsi tokens` and `gsi team` on the real API."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer
from click.testing import Result
from fastapi import FastAPI
from psycopg_pool import ConnectionPool
from typer.testing import CliRunner

from frontend.cli import register
from server.db.pool import transaction
from server.teams import store, users_store
from tests.serving import served

Run = Callable[..., Result]


@pytest.fixture
def api(app: FastAPI) -> Iterator[str]:
    with served(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def run(api: str, tmp_path: Path) -> Run:
    commands = typer.Typer()
    register(commands)
    environment = {"GSI_URL": api, "XDG_CONFIG_HOME": str(tmp_path / "config"), "GSI_TOKEN": "", "COLUMNS": "200"}

    def invoke(*arguments: str, given: str | None = None, code: int = 0) -> Result:
        done = CliRunner().invoke(commands, list(arguments), env=environment, input=given)
        assert done.exit_code == code, done.output
        return done

    return invoke


def test_a_pasted_token_is_kept_and_never_shown(run: Run) -> None:
    run("login", "--team", "Lab")
    made = run("tokens", "create", "--name", "Laptop", "--scope", "read", "--days", "7").stdout.strip()
    assert made.startswith("gsi_")
    done = run("login", given=made + "\n")
    assert "/account#tokens" in done.output
    assert "It is for team Lab." in done.output
    assert made not in done.output
    assert json.loads(run("submissions", "--json").stdout) == []
    assert "lacks the scope admin" in run("tokens", "create", "--name", "x", "--scope", "read", code=77).output


def test_a_token_that_may_not_read_can_be_kept_too(run: Run) -> None:
    run("login", "--team", "Lab")
    made = run("tokens", "create", "--name", "robot", "--scope", "submit").stdout.strip()
    run("login", "--token", made)


def test_tokens_are_listed_by_what_they_begin_with_and_revoked_by_it(run: Run) -> None:
    run("login", "--team", "Lab")
    made = run("tokens", "create", "--name", "Laptop", "--scope", "read", "--scope", "submit").stdout.strip()
    listed = run("tokens", "list").output
    assert made not in listed
    assert made[:12] in listed
    assert "read submit" in listed
    assert "Revoked Laptop" in run("tokens", "revoke", made[:12]).output
    assert "revoked" in run("tokens", "list").output
    assert run("submissions", "--token", made, code=77)
    run("tokens", "revoke", "gsi_nothing", code=66)


def test_an_owner_invites_renames_and_manages(run: Run, pool: ConnectionPool) -> None:
    run("login", "--team", "Lab")
    team = json.loads(run("team", "show", "--json").stdout)
    with transaction(pool) as conn:
        guest = users_store.signed_in(conn, issuer="https://idp.test", subject="guest", name="Guest")
        store.add_member(conn, team["id"], guest.id, role="member")
    link = run("team", "invite", "--as", "owner").stdout.strip()
    assert "/account#invitation=gsii_" in link
    (invitation,) = json.loads(run("team", "invitations", "--json").stdout)
    assert (invitation["role"], invitation["state"]) == ("owner", "open")
    run("team", "revoke", invitation["id"])
    assert "revoked" in run("team", "invitations").output
    assert "last owner" in run("team", "leave", "--yes", code=65).output
    run("team", "role", str(guest.id), "owner")
    assert "Guest" in run("team", "show").output
    run("team", "rename", "Laboratory")
    assert json.loads(run("submissions", "--team", "Laboratory", "--json").stdout) == []
    run("team", "role", str(guest.id), "member")
    run("team", "remove", str(guest.id))
    assert "Guest" not in run("team", "show").output


def test_whoever_leaves_is_told_that_the_token_is_over(run: Run, pool: ConnectionPool) -> None:
    run("login", "--team", "Lab")
    team = json.loads(run("team", "show", "--json").stdout)
    with transaction(pool) as conn:
        heir = users_store.signed_in(conn, issuer="https://idp.test", subject="heir", name="Heir")
        store.add_member(conn, team["id"], heir.id, role="owner")
    assert run("team", "leave", given="n\n", code=1)
    assert "this token is over" in run("team", "leave", "--yes").output
    run("team", "show", code=77)
