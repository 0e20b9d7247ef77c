"""A bar for each step of a long command, on the standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich import progress as bars
from rich.console import Console

from infra.benchmarks.packing import Advance


@dataclass(frozen=True)
class Progress:
    """Shows how far things are."""

    console: Console

    @contextmanager
    def step(self, title: str, *, total: int | None) -> Iterator[Advance]:
        """A bar while the block runs; what it yields is called once for every file. ``total`` None: nobody knows."""
        columns = (bars.TextColumn(title), bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeElapsedColumn())
        with bars.Progress(*columns, console=self.console, transient=True) as shown:
            task = shown.add_task(title, total=total)
            yield lambda: shown.advance(task)
