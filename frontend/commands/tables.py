"""Tables on a terminal: nothing in them is ever cut."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_ENDLESS = 10_000  # columns


def empty(*heads: str, title: str = "") -> Table:
    """A table with these heads and no rows yet."""
    table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for head in heads:
        table.add_column(head)
    return table


def width(console: Console, table: Table) -> int:
    """The columns that a table needs to stand whole."""
    return console.measure(table, options=console.options.update(max_width=_ENDLESS)).maximum


def put(console: Console, table: Table) -> None:
    """Print a table whole; on a terminal that is too narrow for it, print each row as a block of lines instead.

    Ids are there to be copied: rich would cut or fold them to make a table fit.
    """
    if width(console, table) <= console.width:
        console.print(table)
    else:
        blocks(console, table)


def blocks(console: Console, table: Table) -> None:
    """Print each row of a table as a block of lines, one for each column."""
    heads = [str(column.header) for column in table.columns]
    indent = max(map(len, heads)) + 2
    for row in zip(*(column.cells for column in table.columns), strict=True):
        for head, cell in zip(heads, row, strict=True):
            console.print(f"[dim]{head:{indent}}[/]{cell}", soft_wrap=True)
        console.print()
