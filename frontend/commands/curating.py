"""baseline add, edit, retire, list, and audit: the maintainers' commands."""

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import typer
from rich.markup import escape

from frontend.commands import show
from frontend.commands.session import Session
from frontend.maintainer_resources import Baseline


def scores_of(texts: Iterable[str], *, removing: bool = False) -> dict[str, dict[str, float | None]]:
    """Read SUBSET.DIMENSION=VALUE texts, e.g. gsi-real.ic=38.78; raises typer.BadParameter on anything else.

    With `removing` the value "none" takes a number away.
    """
    scores: dict[str, dict[str, float | None]] = {}
    for text in texts:
        name, _, value = text.partition("=")
        subset, _, dimension = name.rpartition(".")
        score = _finite(value)
        gone = removing and value == "none"
        if not subset or not dimension or (score is None and not gone):
            raise typer.BadParameter(f"{text!r} is not SUBSET.DIMENSION=VALUE, for example gsi-real.ic=38.78")
        scores.setdefault(subset, {})[dimension] = score
    return scores


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def add(session: Session, *, entry: dict[str, Any], as_json: bool) -> None:
    """Add an entry."""
    with session.member() as client:
        found = client.add_baseline(entry)
    _tell(session, found, word="Added", as_json=as_json)


def edit(session: Session, *, baseline: str, changes: dict[str, Any], as_json: bool) -> None:
    """Change the members that were given."""
    if not changes:
        raise typer.BadParameter("name at least one thing to change")
    with session.member() as client:
        found = client.edit_baseline(baseline, changes)
    _tell(session, found, word="Changed", as_json=as_json)


def retire(session: Session, *, baseline: str, reason: str, as_json: bool) -> None:
    """Take an entry off the board."""
    with session.member() as client:
        found = client.retire_baseline(baseline, reason=reason)
    _tell(session, found, word="Retired", as_json=as_json)


def list_all(session: Session, *, as_json: bool) -> None:
    """All entries, the retired ones too."""
    with session.anybody() as client:
        found = client.baselines()
    if as_json:
        session.json(found)
    else:
        show.baselines(session.out, found)


def audit(session: Session, *, limit: int, as_json: bool) -> None:
    """The latest acts."""
    with session.member() as client:
        found = client.audit(limit=limit)
    if as_json:
        session.json(found)
    else:
        show.audit(session.out, found)


def dead(session: Session, *, as_json: bool) -> None:
    """What the service could not finish."""
    with session.member() as client:
        found = client.dead_letters()
    if as_json:
        session.json(found)
    else:
        show.dead_letters(session.out, found)


def _tell(session: Session, found: Baseline, *, word: str, as_json: bool) -> None:
    if as_json:
        session.json(asdict(found))
    else:
        session.out.print(f"{word}: {escape(found.model)}  [dim]{escape(found.id)}[/]", soft_wrap=True)
