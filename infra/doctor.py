"""`gsi doctor`: what is missing or misconfigured on this machine, and how to mend it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.configured import (
    Finding,
    detector_finding,
    instruments_finding,
    parts_findings,
    runner_findings,
    settings_findings,
)
from infra.embedded.identity import user_namespaces_work
from infra.embedded.state import is_locked, read_state

_LEAST_DISK = 3 * 2**30
_LEAST_MEMORY = 3 * 2**30
_MARKS = {"ok": "[green]ok[/green]", "note": "[yellow]note[/yellow]", "mend": "[red]mend[/red]"}


def run_doctor(*, data_dir: Path) -> int:
    """Look at everything, print it; 1 when something must be mended."""
    findings = list(examine(data_dir))
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in findings:
        remedy = f"\n[dim]to mend: {escape(finding.remedy)}[/dim]" if finding.remedy else ""
        table.add_row(_MARKS[finding.state], finding.what, escape(finding.found) + remedy)
    console = Console(highlight=False)
    console.print(table)
    wrong = sum(finding.state == "mend" for finding in findings)
    console.print(f"\n{wrong} to mend" if wrong else "\nall that is needed is there")
    return 1 if wrong else 0


def examine(data_dir: Path) -> Iterator[Finding]:
    """Every finding, in the order an operator would look."""
    yield _python()
    yield from _packages()
    yield _disk(data_dir)
    yield _memory()
    yield _unprivileged_postgres()
    yield _blocks()
    yield _stack(data_dir)
    yield from settings_findings()
    yield from runner_findings()
    yield instruments_finding()
    yield detector_finding()
    yield from parts_findings()
    yield from _optional_tools()


def _python() -> Finding:
    return Finding("Python", "ok", f"{sys.version.split()[0]} at {sys.prefix}")


def _packages() -> Iterator[Finding]:
    needed = {"fastapi": "server", "celery": "server", "psycopg": "server", "gradio": "frontend", "torch": "scorer"}
    missing = {extra for name, extra in needed.items() if _version_of(name) is None}
    if missing:
        yield Finding("packages", "mend", f"extras missing: {', '.join(sorted(missing))}", "run ./gsi of a checkout")
    else:
        yield Finding("packages", "ok", f"gsi-bench {version('gsi-bench')}, torch {_version_of('torch')}")


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _disk(data_dir: Path) -> Finding:
    try:
        folder = _existing_part(data_dir.resolve())
        with tempfile.TemporaryDirectory(dir=folder, prefix=".gsi-doctor-"):
            free = shutil.disk_usage(folder).free
    except (OSError, RuntimeError) as error:  # the latter of links that lead in a circle
        why = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
        return Finding("data directory", "mend", f"{data_dir} cannot be used: {why}", "name another with --data-dir")
    found = f"{free / 2**30:.1f} GiB free in {folder}"
    if free < _LEAST_DISK:
        return Finding("disk", "mend", found, "free some space, or name another place with --data-dir")
    return Finding("disk", "ok", found)


def _existing_part(path: Path) -> Path:
    """The deepest part of ``path`` that is there. Raises OSError for one that may not be looked at."""
    return next(part for part in (path, *path.parents) if part.exists())


def _memory() -> Finding:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = f"{total / 2**30:.1f} GiB, {len(os.sched_getaffinity(0))} cores"
    if total < _LEAST_MEMORY:
        return Finding("memory", "note", found, "3 GiB and more are comfortable; use --workers 1")
    return Finding("memory", "ok", found)


def _unprivileged_postgres() -> Finding:
    if os.geteuid() != 0:
        return Finding("PostgreSQL's user", "ok", "runs as you")
    if user_namespaces_work():
        return Finding("PostgreSQL's user", "ok", "you are root; it runs in a user namespace")
    return Finding(
        "PostgreSQL's user",
        "note",
        "you are root and user namespaces are refused; it will run as `nobody`",
        "the data directory must be in a place that `nobody` may enter, or run as an ordinary user",
    )


def _blocks() -> Finding:
    from infra.prepare import BLOCKS_DATA

    wanted = ("blocks-public.zip", "blocks-hidden.zip", "submissions/perfect.zip")
    missing = [name for name in wanted if not (BLOCKS_DATA / name).is_file()]
    if missing:
        return Finding("demo benchmark", "mend", f"missing: {', '.join(missing)}", "check out infra/blocks/data again")
    return Finding("demo benchmark", "ok", "Blocks is there")


def _stack(data_dir: Path) -> Finding:
    state = read_state(data_dir)
    if state is not None:
        return Finding("service", "ok", f"runs at {state.url} (process {state.pid})")
    if is_locked(data_dir):
        return Finding("service", "note", "is starting or ending")
    return Finding("service", "ok", f"does not run on {data_dir}; start it with: gsi up")


def _optional_tools() -> Iterator[Finding]:
    for name, purpose in (("chromium", "browser tests"), ("setpriv", "children end with their parent")):
        path = shutil.which(name)
        if path:
            yield Finding(name, "ok", path)
        else:
            yield Finding(name, "note", f"not installed ({purpose})", f"apt-get install {_DEBIAN.get(name, name)}")


_DEBIAN = {"setpriv": "util-linux"}
