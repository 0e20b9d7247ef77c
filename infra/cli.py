"""The `gsi` command: operators' verbs, and those of participants and maintainers from `frontend.cli`.

Only declarations stand here; what a verb does is imported when it runs, so that help is instant.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from frontend import cli as participants

OPERATING = "Running the service"

app = typer.Typer(
    name="gsi",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The GSI-Bench leaderboard: run the service, submit edited images, read the boards.\n\n"
    "New here? [bold]gsi demo[/bold] shows everything on this machine in a few minutes.",
)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Where this service keeps all its data.", file_okay=False),
]
Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="Port of the website. Else the first free one from 8000."),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gsi {version('gsi-bench')}")
        raise typer.Exit


@app.callback()
def root(
    _version_flag: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and end.")
    ] = False,
) -> None:
    """The GSI-Bench leaderboard."""


@app.command(rich_help_panel=OPERATING)
def demo(
    data_dir: DataDir = None,
    stop: Annotated[bool, typer.Option("--stop", help="End the service when the demo is over.")] = False,
    port: Port = None,
) -> None:
    """Bring the service up, score four sample submissions, publish them, show the board. Leaves the website running.

    Running it again finds what is already there. Data: .gsi/demo unless you name another --data-dir.
    """
    from infra.demo import run_demo

    raise typer.Exit(run_demo(data_dir=data_dir or Path(".gsi/demo"), stop=stop, port=port))


@app.command(rich_help_panel=OPERATING)
def up(
    data_dir: DataDir = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Port = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, help="How many subsets are scored at once. Else one for each core, 4 at most."
        ),
    ] = None,
) -> None:
    """Run the whole service in the foreground: databases, API, website, workers. Ctrl-C ends all of it.

    Data is kept in .gsi/data unless you name another --data-dir. Parts of your own replace the embedded ones:
    DATABASE_URL, GSI_BROKER_URL, GSI_S3_BUCKET (docs/operations.md).
    """
    from infra.running import run_up

    raise typer.Exit(run_up(data_dir=data_dir or Path(".gsi/data"), host=host, port=port, workers=workers))


@app.command(rich_help_panel=OPERATING)
def down(data_dir: DataDir = None) -> None:
    """End the service that runs here (all of them, unless you name a --data-dir). Its data stays."""
    from infra.running import run_down

    raise typer.Exit(run_down(data_dir=data_dir))


@app.command(rich_help_panel=OPERATING)
def migrate() -> None:
    """Bring the database of DATABASE_URL up to date and seed the published results. Safe to run again."""
    from infra.running import run_migrate

    raise typer.Exit(run_migrate())


@app.command(rich_help_panel=OPERATING)
def doctor(data_dir: DataDir = None) -> None:
    """Say what is missing or misconfigured on this machine, and how to mend it. Exit code 1 if something must be."""
    from infra.doctor import run_doctor

    raise typer.Exit(run_doctor(data_dir=data_dir or Path(".gsi/data")))


@app.command(
    rich_help_panel=OPERATING,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]},
)
def test(context: typer.Context) -> None:
    """Run every test. What you add goes to pytest, for example: gsi test tests/unit -k gate."""
    from infra.testing import run_tests

    raise typer.Exit(run_tests(context.args))


participants.register(app)


def _add_blocks() -> None:
    from infra.blocks.cli import app as blocks

    app.add_typer(blocks, name="blocks", rich_help_panel=OPERATING)


def main() -> None:
    """Run the command line."""
    _add_blocks()
    app(prog_name="gsi")


if __name__ == "__main__":
    main()
