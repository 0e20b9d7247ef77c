"""`gsi benchmark`: registering benchmarks with the service, and looking at those that are registered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Benchmarks of the service: add one, list them, look at one.")

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        metavar="DIR",
        help="Where the service keeps its data; not needed with DATABASE_URL.",
        file_okay=False,
    ),
]
_DATA = Path(".gsi/data")


@app.command()
def add(
    folders: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDER...",
            help="Official data set folders (fine, mesatask, bathroom, robothor: recognised by <name>_dataset, else "
            "given as NAME=FOLDER), or one folder in the service's own format: benchmark.json, truth.json and "
            "pictures, or *public.zip and *hidden.zip.",
        ),
    ],
    data_dir: DataDir = _DATA,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, register nothing.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="It is not the whole of GSI-Bench: register it under a name that says so.")
    ] = False,
    id: Annotated[str | None, typer.Option("--id", help="The benchmark's id, for its address.")] = None,
    title: Annotated[str | None, typer.Option("--title", help="What it is called.")] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="The profile that ranks. Else gsi-fair-1.")] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            "--beside", help="A profile that is computed beside it; repeat it. Else gsi-official-1. none: none."
        ),
    ] = None,
    detector: Annotated[str | None, typer.Option("--detector", help="Else grounding-dino-detany3d.")] = None,
    judge: Annotated[str | None, typer.Option("--judge", help="Else language-judge-1.")] = None,
    perceptual: Annotated[str | None, typer.Option("--perceptual", help="Else lpips-alex-0.1.")] = None,
    all_findings: Annotated[bool, typer.Option("--all", help="Tell every finding, however many are alike.")] = False,
) -> None:
    """Check a benchmark whole and register it. The same files again change nothing; other files are a new version.

    Exit codes: 0 registered, 64 wrong call, 65 the files have defects, 69 the service cannot be reached, 70 refused.
    """
    from infra.benchmarks.commands import run_add
    from infra.benchmarks.editions import edition

    options = {"protocol": protocol, "detector": detector, "judge": judge, "perceptual": perceptual}
    profiles = None if beside is None else tuple(one for one in beside if one != "none")
    given = partial or any(value is not None for value in (id, title, beside, *options.values()))
    try:
        wanted = edition(id=id, title=title, partial=partial, beside=profiles, **options)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(64) from None
    code = run_add(
        folders, data_dir=data_dir, edition=wanted, options_given=given, dry_run=dry_run, all_findings=all_findings
    )
    raise typer.Exit(code)


@app.command("list")
def list_(data_dir: DataDir = _DATA) -> None:
    """Every benchmark: its subsets and their samples, version, protocols, and whether it takes submissions."""
    from infra.benchmarks.commands import run_list

    raise typer.Exit(run_list(data_dir=data_dir))


@app.command()
def show(
    benchmark: Annotated[str, typer.Argument(metavar="ID", help="The benchmark's id, as list shows it.")],
    data_dir: DataDir = _DATA,
) -> None:
    """Everything about one benchmark that may be known."""
    from infra.benchmarks.commands import run_show

    raise typer.Exit(run_show(benchmark, data_dir=data_dir))


@app.command()
def refresh(data_dir: DataDir = _DATA) -> None:
    """Look anew which detectors, judges and distances are installed here, and open or close benchmarks accordingly."""
    from infra.benchmarks.commands import run_refresh

    raise typer.Exit(run_refresh(data_dir=data_dir))
