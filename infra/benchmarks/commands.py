"""What the verbs of `gsi benchmark` do, and what they print; each returns its exit code."""

from __future__ import annotations

import getpass
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import FrameType

import psycopg
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.benchmarks import adding
from infra.benchmarks.editions import Edition
from infra.benchmarks.findings import Findings, RefusedError
from infra.benchmarks.place import Place, place_of
from infra.benchmarks.progress import Progress
from infra.benchmarks.telling import openness, short_version, table_of, tell_findings, tell_openness
from infra.embedded.process import StartError
from infra.embedded.state import AlreadyRunningError
from scorer.contract import BenchmarkManifest, ExitCode
from scorer.errors import ScorerError
from server.benchmarks import service, store
from server.db.pool import transaction
from server.db.trouble import trouble
from server.errors import GsiError
from server.settings import unusable

_UNAVAILABLE = 69
_CONFIGURATION = 78
_LEAST_WIDTH = 140
"""Of the list, in characters: ids and versions are copied from the screen, so a narrow one breaks lines, not words."""
_ENDED = 128 + signal.SIGTERM


def run_add(
    folders: Sequence[str],
    *,
    data_dir: Path,
    edition: Edition,
    options_given: bool,
    dry_run: bool,
    all_findings: bool,
) -> int:
    """Check, and register unless ``dry_run``. ``options_given``: a benchmark of our own format takes none."""
    out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
    found = Findings()
    try:
        wish = adding.wish_of(folders)
        if wish.own is not None and options_given:
            raise adding.UsageError(
                "The benchmark.json says how it is scored and what it is called; leave options out."
            )
        with (
            _told(err),
            _ended_by_sigterm(),
            adding.checked(wish, edition, found=found, progress=Progress(err)) as sound,
        ):
            tell_findings(err, found.all, all_findings=all_findings)
            out.print(table_of(sound.manifest))
            missing = _missing(sound.manifest, err)
            if dry_run:
                out.print(f"{sound.manifest.benchmark}: sound; nothing was registered (--dry-run)")
                return ExitCode.OK
            with place_of(data_dir) as place:
                done = adding.enter(place, sound, missing=list(missing), actor=_actor())
    except adding.UsageError as error:
        err.print(f"[red]{escape(str(error))}[/red]")
        return ExitCode.USAGE
    except RefusedError as refused:
        tell_findings(err, refused.findings, all_findings=all_findings)
        errors = sum(one.severity == "error" for one in refused.findings)
        err.print(f"\n[red]Not registered: {errors} {'defect' if errors == 1 else 'defects'}.[/red]")
        return ExitCode.PARTICIPANT_DATA
    except _ToldError as told:
        return told.exit_code
    out.print(f"{done.benchmark}: {'registered' if done.changed else 'unchanged'}, version {done.version[:12]}")
    tell_openness(out, missing)
    return ExitCode.OK


def run_list(*, data_dir: Path) -> int:
    """Every benchmark in a line."""

    def act(place: Place, out: Console) -> int:
        with transaction(place.pool) as conn:
            benchmarks = store.list_benchmarks(conn)
            subsets = {
                name: list(group) for name, group in groupby(store.list_subsets(conn), key=lambda one: one.benchmark_id)
            }
        table = Table(box=None, pad_edge=False)
        for head in ("id", "title", "subsets", "version", "protocols", "submissions"):
            table.add_column(head, no_wrap=head != "title")
        for one in benchmarks:
            counts = "\n".join(f"{subset.id} {subset.samples or '?'}" for subset in subsets.get(one.id, []))
            row = one.id, one.title, counts, short_version(one), "\n".join(one.protocols), openness(one)
            table.add_row(*(escape(cell) for cell in row))
        out.width = max(out.width, _LEAST_WIDTH)
        out.print(table)
        return ExitCode.OK

    return _at(data_dir, act)


def run_show(benchmark_id: str, *, data_dir: Path) -> int:
    """Everything about one benchmark."""

    def act(place: Place, out: Console) -> int:
        with transaction(place.pool) as conn:
            one = service.get(conn, benchmark_id)
            subsets = store.subsets_of(conn, benchmark_id)
            version = store.get_version(conn, benchmark_id, one.current_version or "")
        rows = [("id", one.id), ("title", one.title), ("kind", one.kind), ("description", one.description)]
        rows += [("version", one.current_version or "none"), ("protocols", ", ".join(one.protocols))]
        rows += [("submissions", f"no: {one.what_is_missing}" if one.missing_instruments else openness(one))]
        if version is not None:
            manifest = BenchmarkManifest.model_validate(version.manifest)
            rows += [("detector", manifest.detector), ("judge", manifest.judge), ("perceptual", manifest.perceptual)]
            rows += [("license", manifest.license)]
        rows += [("subset", f"{one.id}: {one.title}, {one.samples or '?'} samples") for one in subsets]
        for name, value in rows:
            out.print(f"{name:<12} {escape(value)}")
        return ExitCode.OK

    return _at(data_dir, act)


def run_refresh(*, data_dir: Path) -> int:
    """Look anew which instruments are installed, for every benchmark that is scored here."""

    def act(place: Place, out: Console) -> int:
        with transaction(place.pool) as conn:
            scored = [one for one in store.list_benchmarks(conn) if one.is_scored]
            manifests = {one.id: service.current_version(conn, one.id).manifest for one in scored}
        for name, manifest in manifests.items():
            missing = _missing(BenchmarkManifest.model_validate(manifest), out)
            with transaction(place.pool) as conn:
                changed = service.note_missing(conn, name, list(missing), actor=_actor())
            out.print(f"{name}: {'changed' if changed else 'as before'}")
            tell_openness(out, missing)
        return ExitCode.OK

    return _at(data_dir, act)


def _at(data_dir: Path, act: Callable[[Place, Console], int]) -> int:
    out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with _told(err), place_of(data_dir) as place:
            return act(place, out)
    except _ToldError as told:
        return told.exit_code


class _ToldError(Exception):
    """It cannot go on, and its reader was told."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@contextmanager
def _told(err: Console) -> Iterator[None]:
    """Tell what keeps the service from being reached, in its words; raises _ToldError."""
    try:
        yield
    except ValidationError as error:
        for wrong in unusable(error):
            err.print(f"[red]{escape(wrong)}[/red] (docs/operations.md tells what each setting may be)")
        raise _ToldError(_CONFIGURATION) from None
    except GsiError as error:
        err.print(f"[red]{escape(error.detail)}[/red] {escape(error.remedy)}")
        raise _ToldError(_UNAVAILABLE if error.status >= 500 else ExitCode.DEFECT) from None
    except ScorerError as error:  # the file of instruments cannot be used
        err.print(f"[red]GSI_INSTRUMENTS: {escape(str(error))}[/red]")
        raise _ToldError(_CONFIGURATION) from None
    except psycopg.Error as error:
        err.print(f"[red]The database of DATABASE_URL cannot be used: {escape(trouble(error))}.[/red]")
        raise _ToldError(_UNAVAILABLE) from None
    except (StartError, AlreadyRunningError, OSError) as error:
        err.print(f"[red]{escape(str(error))}[/red]")
        raise _ToldError(_UNAVAILABLE) from None


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """A polite end cleans up like Ctrl-C does."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(_ENDED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _missing(manifest: BenchmarkManifest, console: Console) -> dict[str, str]:
    """What is missing -> why."""
    from scorer import instruments  # torch takes seconds to load
    from scorer.registry import why_missing

    with console.status("looking for the instruments"):
        settings = instruments.named(os.environ.get("GSI_INSTRUMENTS"))
        return why_missing(manifest, settings)


def _actor() -> str:
    try:
        return f"operator {getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name
        return "operator"
