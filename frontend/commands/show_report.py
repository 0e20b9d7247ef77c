"""Reports of the scorer on a terminal. Their words may repeat a model's: the terminal gets none of them as code."""

import json
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from frontend.commands import tables
from frontend.present import dimension_label, number
from scorer.contract import Quantity, SampleReport

_DIMENSIONS = ("ic", "sa", "ac", "el")
_REASON = 40  # characters of a reason that shall stand in one line of the table


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some samples of the report of one run, under one protocol."""

    subset: str
    run: str
    protocol: str
    samples: list[SampleReport]


def is_suspicious(found: SampleReport) -> bool:
    """Whether our own look at the object contradicts the judge (docs/protocol.md, a judge's praise)."""
    return found.explanation.get("appearance", {}).get("suspicious") is True


def samples(console: Console, part: Part, *, only_suspicious: bool) -> None:
    """A line for each sample. Reasons fold where there is little room; where there is less, samples become blocks."""
    console.print(_head(part), soft_wrap=True)
    if not part.samples:
        console.print("No judgement is suspicious." if only_suspicious else "There are no samples.")
    elif tables.width(console, _table(part, longest=_REASON)) <= console.width:
        console.print(_table(part))
    else:
        tables.blocks(console, _table(part))


def _table(part: Part, *, longest: int | None = None) -> Table:
    """The table; for measuring, reasons are cut at `longest` characters."""
    table = tables.empty()
    for head in ("Sample", "Operation", "Status"):
        table.add_column(head, no_wrap=True)
    for dimension in _DIMENSIONS:
        table.add_column(dimension_label(dimension), justify="right", no_wrap=True)
    table.add_column("Reason", overflow="fold")
    for one in part.samples:
        scores = [number(getattr(one, dimension)) for dimension in _DIMENSIONS]
        table.add_row(one.id, one.operation, one.status, *scores, _words(one.reason[:longest]))
    return table


def sample(console: Console, part: Part) -> None:
    """Everything about the one sample of a part: scores, reason, and every quantity in its group, unrounded."""
    (found,) = part.samples
    about = (found.operation, found.difficulty or "", found.status)
    console.print(_head(part), soft_wrap=True)
    console.print(f"[bold]{found.id}[/]  {', '.join(word for word in about if word)}", soft_wrap=True)
    scores = (f"{dimension_label(name)} {number(getattr(found, name))}" for name in (*_DIMENSIONS, "avg"))
    console.print("  ".join(scores), soft_wrap=True)
    console.print(_words(found.reason), soft_wrap=True)
    for group, quantities in found.explanation.items():
        console.print(f"\n[bold]{_words(group)}[/]", soft_wrap=True)
        indent = max(map(len, quantities), default=0) + 2
        for name, value in quantities.items():
            console.print(f"  [dim]{_words(name):{indent}}[/]{_quantity(value)}", soft_wrap=True)


def _head(part: Part) -> str:
    return f"[bold]{escape(part.subset)}[/] under {escape(part.protocol)}  [dim]run {escape(part.run)}[/]"


def _quantity(value: Quantity) -> str:
    return _words(value if isinstance(value, str) else json.dumps(value))


def _words(text: str) -> str:
    """A text for a line of the terminal: without control characters, and not read as markup."""
    return escape("".join(character if character.isprintable() else "\ufffd" for character in text))
