"""leaderboard, submissions, publish, withdraw, login: short conversations with the service."""

import sys
import webbrowser
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import typer
from rich.markup import escape

from frontend.commands import show
from frontend.commands.session import Session
from frontend.resources import Benchmark


def leaderboard(session: Session, *, benchmark: str, subset: str, operation: str, protocol: str, as_json: bool) -> None:
    """One board, or all of them with the scored ones first."""
    with session.anybody() as client:
        wanted = [client.benchmark(benchmark)] if benchmark else _scored_first(client.benchmarks())
        filters = {"subset": subset, "operation": operation, "protocol": protocol}
        boards = [(each, client.leaderboard(each.id, **filters)) for each in wanted]
    if as_json:
        found = [asdict(board) for _, board in boards]
        session.json(found[0] if benchmark else found)
        return
    for each, board in boards:
        show.leaderboard(session.out, board, benchmark=each)


def _scored_first(known: Iterable[Benchmark]) -> list[Benchmark]:
    return sorted(known, key=lambda each: each.kind != "scored")


def submissions(session: Session, *, as_json: bool) -> None:
    """The team's own, newest first."""
    with session.member() as client:
        found = client.submissions()
    if as_json:
        session.json(found)
    else:
        show.submissions(session.out, found)


def act(session: Session, *, submission: str, verb: str, as_json: bool, body: Mapping[str, Any] | None = None) -> None:
    """publish, unpublish, withdraw, retry, hide, show, disqualify or reinstate."""
    with session.member() as client:
        found = client.act(submission, verb=verb, body=body)
    if as_json:
        session.json(asdict(found))
    else:
        session.out.print(show.state_line(found), soft_wrap=True)


def asked_for_token(session: Session) -> str:
    """Send the reader to the account page and take the token that they bring; it is not shown while it is typed."""
    address = f"{session.url}/account#tokens"
    session.err.print(f"Make a token at [bold]{escape(address)}[/] and paste it here.", soft_wrap=True)
    if sys.stdin.isatty():
        webbrowser.open(address)
    return str(typer.prompt("Token", hide_input=True, err=True))


def login(session: Session, *, team: str, maintainer: bool, token: str) -> None:
    """Get or take a token and keep it for this service."""
    if token:
        who = session.adopt(token, team=team).team
        words = f" It is for team {escape(who)}." if who else ""
        session.out.print(f"The service knows the token.{words} Saved for {escape(session.url)}.")
        return
    session.log_in(team=team, maintainer=maintainer)
    who = "a maintainer" if maintainer else f"team {escape(team)}"
    session.out.print(f"Logged in to {escape(session.url)} as {who}.")
