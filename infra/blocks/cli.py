"""`gsi blocks`: making the demo benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Make the demo benchmark Blocks anew (needs the extra `blocks`).")


@app.callback()
def blocks() -> None:
    """Make the demo benchmark Blocks anew (needs the extra `blocks`)."""


@app.command()
def generate(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write the zips.", file_okay=False)],
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same benchmark.")] = 7,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many pictures to render at once.")] = 2,
) -> None:
    """Render the benchmark and the four sample submissions: about 15 minutes on two cores."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from infra.blocks.generate import generate as make
    from infra.blocks.render import RendererMissingError

    console = Console(stderr=True)
    columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as bar:
            task = bar.add_task("rendering", total=None)
            make(seed=seed, out=out, jobs=jobs, progress=lambda k, n: bar.update(task, completed=k, total=n))
    except RendererMissingError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(69) from error
    console.print(f"written to {out}")
