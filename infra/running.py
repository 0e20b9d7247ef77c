"""`gsi up`, `gsi down`, `gsi migrate`: what an operator sees of the embedded stack."""

from __future__ import annotations

import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from infra.embedded.process import StartError
from infra.embedded.stack import StackOptions, run_stack
from infra.embedded.state import AlreadyRunningError, holder_of, is_locked, known_data_dirs

_DOWN_SECONDS = 40.0
_MOST_WORKERS = 4


def run_up(*, data_dir: Path, host: str, port: int | None, workers: int | None) -> int:
    """Run the stack in the foreground until it is told to end; returns the exit code."""
    console = Console(stderr=True, highlight=False)
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=console, show_path=False)]
    )
    options = StackOptions(data_dir=data_dir, host=host, port=port, workers=workers or default_workers())

    def ready(url: str) -> None:
        console.print(f"\n[bold green]running[/bold green] at [bold]{url}[/bold]")
        console.print(f"  API      {url}/api/docs\n  data     {data_dir.resolve()}\n  end it   Ctrl-C\n")

    try:
        run_stack(options, say=lambda text: console.print(f"[dim]{text} …[/dim]"), once_ready=ready)
    except AlreadyRunningError as running:
        console.print(f"[yellow]{escape(str(running))}[/yellow]")
        return 1
    except StartError as error:
        console.print(
            f"[red]The service could not start.[/red] {escape(str(error))}\n\nTry: gsi doctor", soft_wrap=True
        )
        return 69
    console.print("ended")
    return 0


def default_workers() -> int:
    """One worker for each core that we may use, four at most."""
    return min(len(os.sched_getaffinity(0)), _MOST_WORKERS)


def run_down(*, data_dir: Path | None) -> int:
    """End the stacks that run on ``data_dir``, or on every known data directory; returns the exit code."""
    console = Console(stderr=True, highlight=False)
    folders = [data_dir] if data_dir else known_data_dirs()
    running = [folder for folder in folders if is_locked(folder)]
    if not running:
        console.print("nothing is running here")
        return 0
    return max(_end(folder, console) for folder in running)


def _end(data_dir: Path, console: Console) -> int:
    with console.status(f"ending the service on {data_dir}"):
        ended = end_stack(data_dir)
    if not ended:
        console.print(
            f"[red]Process {holder_of(data_dir)} has not ended in {_DOWN_SECONDS:.0f} s.[/red] "
            f"Its logs: {data_dir / 'logs'}"
        )
        return 70
    console.print(f"ended; its data stays in {data_dir}")
    return 0


def end_stack(data_dir: Path) -> bool:
    """Ask the stack on ``data_dir`` to end, even one that is still starting, and wait; False when it has not."""
    deadline = time.monotonic() + _DOWN_SECONDS
    asked: int | None = None
    while is_locked(data_dir):
        pid = holder_of(data_dir)
        if pid is not None and pid != asked:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            asked = pid
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def run_migrate() -> int:
    """Migrate and seed the database of the settings; returns the exit code."""
    from infra.prepare import main

    return main(["--no-blocks"])
