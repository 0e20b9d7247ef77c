"""quota and moderate: what a team may still submit, and what maintainers do about it."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from frontend.commands.session import Session
from frontend.present import clock
from frontend.team_resources import Allowance, Grant

_WORDS = {"per_day": "today", "total": "in all", "at_once": "at once"}


def moment_of(text: str) -> str:
    """A day or time as ISO 8601 with its zone (UTC where none is named). Raises typer.BadParameter."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date such as 2027-01-31 or 2027-01-31T18:00+01:00") from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def limits_of(texts: Mapping[str, str]) -> dict[str, int | None]:
    """Numbers, and None for "none"; what is empty is left out. Raises typer.BadParameter."""
    found: dict[str, int | None] = {}
    for name, text in texts.items():
        if text and text != "none" and not text.isdecimal():
            raise typer.BadParameter(f"{text!r} is neither a number nor none")
        if text:
            found[name] = None if text == "none" else int(text)
    if not found:
        raise typer.BadParameter("name at least one limit")
    return found


def quota(session: Session, *, benchmark: str, of_team: str, as_json: bool) -> None:
    """What is left."""
    with session.member() as client:
        found = client.quota(benchmark, team=of_team)
    if as_json:
        session.json(asdict(found))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("quota", "used", "limit", "remaining"):
        table.add_column(heading, justify="left" if heading == "quota" else "right")
    for kind, words in _WORDS.items():
        table.add_row(words, *_cells(getattr(found, kind)))
    session.out.print(table)
    session.out.print(f"The day begins anew at {clock(found.resets_at)}.")


def _cells(allowance: Allowance) -> tuple[str, str, str]:
    def word(value: int | None) -> str:
        return "no limit" if value is None else str(value)

    return str(allowance.used), word(allowance.limit), word(allowance.remaining)


def change_limits(session: Session, *, benchmark: str, changes: Mapping[str, int | None], as_json: bool) -> None:
    """Set limits for every team."""
    with session.member() as client:
        found = client.change_limits(benchmark, changes)
    if as_json:
        session.json(dict(found))
        return
    told = ", ".join(f"{'no limit' if found[kind] is None else found[kind]} {words}" for kind, words in _WORDS.items())
    session.out.print(f"{escape(benchmark)}: {told}")


def grant(session: Session, *, wish: Mapping[str, Any], as_json: bool) -> None:
    """Grant a team more."""
    with session.member() as client:
        found = client.grant(wish)
    _tell(session, found, word="Granted", as_json=as_json)


def revoke(session: Session, *, grant_id: str, as_json: bool) -> None:
    """End a grant."""
    with session.member() as client:
        found = client.revoke_grant(grant_id)
    _tell(session, found, word="Revoked", as_json=as_json)


def grants(session: Session, *, benchmark: str, of_team: str, as_json: bool) -> None:
    """List what was granted."""
    with session.member() as client:
        found = client.grants(benchmark=benchmark, team=of_team)
    if as_json:
        session.json([asdict(one) for one in found])
        return
    if not found:
        session.out.print("Nothing has been granted.")
    for one in found:
        ending = "revoked" if one.revoked_at else f"until {clock(one.expires_at)}" if one.expires_at else "for good"
        session.out.print(f"{one.id}  {_line(one)}, {ending}: {escape(one.reason)}", soft_wrap=True)


def _tell(session: Session, found: Grant, *, word: str, as_json: bool) -> None:
    if as_json:
        session.json(asdict(found))
    else:
        session.out.print(f"{word} {found.id}: {_line(found)}", soft_wrap=True)


def _line(found: Grant) -> str:
    return f"{escape(found.team)}, {escape(found.benchmark)}, {found.extra} more {_WORDS.get(found.kind, found.kind)}"
