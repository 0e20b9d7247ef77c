"""`gsi demo`: the whole path of a submission, four times, on this machine."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from frontend.client import Client
from frontend.errors import ClientError
from frontend.resources import Benchmark, Leaderboard, Submission
from infra.embedded.process import StartError, spawn, stop, tail
from infra.embedded.state import StackState, is_locked, make_private, read_state
from infra.embedded.supervisor import python
from infra.prepare import BLOCKS_DATA
from infra.running import end_stack

_START_SECONDS = 180.0
_SCORE_SECONDS = 1200.0
_STOP_SECONDS = 40.0
_POLL_SECONDS = 0.5
_SETTLED = {"scored", "published", "rejected", "failed", "withdrawn"}
_SHOWN = {"scored", "published"}


@dataclass(frozen=True)
class Entrant:
    """One sample submission: which zip, under which names."""

    archive: str
    team: str
    model: str
    description: str


ENTRANTS = (
    Entrant("perfect", "Demo: careful hands", "Perfect editor", "Every edit exactly as asked."),
    Entrant("noisy", "Demo: shaky hands", "Noisy editor", "The right edit, 25 to 40% off; now and then none at all."),
    Entrant("wrong-object", "Demo: mixed-up hands", "Wrong-object editor", "The right edit of another object."),
    Entrant("nothing", "Demo: idle hands", "Do-nothing editor", "The originals, unchanged."),
)


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why."""


def run_demo(*, data_dir: Path, stop: bool, port: int | None) -> int:
    """Run the demo; returns the exit code. What it started is stopped again when it does not end well."""
    console = Console(highlight=False)
    started = not is_locked(data_dir)
    try:
        state = read_state(data_dir)
        if state is None:
            state = _start(data_dir, port, console)
        else:
            console.print(f"a service is running already at {state.url}")
        _play(state, console)
    except (DemoError, StartError, ClientError) as error:
        console.print(f"[red]The demo could not go on.[/red] {escape(str(error))}")
        _end(data_dir, console, wanted=started)
        return 70
    except KeyboardInterrupt:
        console.print("\ninterrupted")
        _end(data_dir, console, wanted=started)
        return 130
    _end(data_dir, console, wanted=stop)
    if not stop:
        console.print(f"\nThe website runs on at [bold]{state.url}[/bold]   (end it with: ./gsi down)")
    return 0


def _start(data_dir: Path, port: int | None, console: Console) -> StackState:
    """Bring a stack up in the background, or wait for one that is coming up, until it serves."""
    make_private(data_dir)
    log = data_dir / "logs" / "up.log"
    argv = python("-m", "infra.cli", "up", "--data-dir", str(data_dir), *(["--port", str(port)] if port else []))
    with console.status("bringing the service up: PostgreSQL, Redis, API, website, workers"):
        process = None if is_locked(data_dir) else spawn(argv, log=log, afresh=True)
        try:
            state = _wait_for_state(data_dir, process)
        except BaseException:
            if process is not None:  # it may not even hold the data directory yet
                stop(process, signal.SIGTERM, timeout=_STOP_SECONDS)
            raise
    if state is None:
        raise StartError(f"The service did not come up.\n{tail(log)}")
    console.print(f"the service is up at {state.url}")
    return state


def _wait_for_state(data_dir: Path, process: subprocess.Popen[bytes] | None) -> StackState | None:
    """The state of the stack once it serves; None when it ended before, or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    while (state := read_state(data_dir)) is None:
        ended = process.poll() is not None if process is not None else not is_locked(data_dir)
        if ended or time.monotonic() > deadline:
            return None
        time.sleep(0.2)
    return state


def _play(state: StackState, console: Console) -> None:
    with Client(url=state.url) as reader:
        version = reader.benchmark("blocks").version
    tokens = {entrant: _token(state.url, entrant.team) for entrant in ENTRANTS}
    submissions = {entrant: _submit(state.url, tokens[entrant], entrant, version, console) for entrant in ENTRANTS}
    _watch(state.url, tokens, submissions, console)
    for entrant, submission in submissions.items():
        with Client(url=state.url, token=tokens[entrant]) as client:
            if client.submission(submission.id).state == "scored":
                client.act(submission.id, verb="publish")
    with Client(url=state.url) as reader:
        for protocol, subset in _views(reader.benchmark("blocks")):
            board = reader.leaderboard("blocks", subset=subset, protocol=protocol)
            console.print(_table(board, f"{subset or 'mean of both subsets'}, {protocol}"))


def _views(blocks: Benchmark) -> list[tuple[str, str]]:
    """Protocol and subset of each table: all of the protocol that ranks, the mean ("") of the others."""
    ranking, *others = blocks.protocols
    return [(ranking, ""), *((ranking, subset.id) for subset in blocks.subsets), *((other, "") for other in others)]


def _token(url: str, team: str) -> str:
    with Client(url=url) as client:
        return client.login(team=team).token


def _submit(url: str, token: str, entrant: Entrant, version: str, console: Console) -> Submission:
    """Submit one sample zip, or find it submitted by an earlier demo."""
    archive = BLOCKS_DATA / "submissions" / f"{entrant.archive}.zip"
    content = hashlib.sha256(archive.read_bytes()).hexdigest()
    with Client(url=url, token=token) as client:
        submission = _found(client, entrant, version, content) or client.create(
            benchmark="blocks", model=entrant.model, description=entrant.description
        )
        if submission.state == "created":
            submission = client.upload(submission.id, archive)
            console.print(f"submitted  {entrant.model:22} {archive.stat().st_size / 2**20:4.1f} MiB")
        else:
            console.print(f"found      {entrant.model:22} ({submission.state_title.lower()})")
    return submission


def _found(client: Client, entrant: Entrant, version: str, content: str) -> Submission | None:
    """What an earlier demo submitted of this archive for this content of the benchmark, unless it came to nothing."""
    for known in client.submissions():
        same = (known.benchmark, known.model, known.benchmark_version) == ("blocks", entrant.model, version)
        if same and known.archive_sha256 in {"", content} and known.state not in {"failed", "rejected", "withdrawn"}:
            return known
    return None


def _watch(url: str, tokens: dict[Entrant, str], submissions: dict[Entrant, Submission], console: Console) -> None:
    """Show how far each is until all are scored. Raises DemoError when one is not going to be."""
    deadline = time.monotonic() + _SCORE_SECONDS
    with _bars(console) as progress:
        bars = {entrant: progress.add_task(entrant.model, total=None, state="") for entrant in submissions}
        waiting = dict(submissions)
        while waiting:
            for entrant, submission in list(waiting.items()):
                now = _look(url, tokens[entrant], submission.id)
                if now is None:
                    continue
                _advance(progress, bars[entrant], now)
                if now.state in _SETTLED:
                    del waiting[entrant]
                    _must_be_scored(entrant, now)
            if time.monotonic() > deadline:
                raise DemoError("Scoring takes too long. See the logs in the data directory, or: gsi doctor")
            time.sleep(_POLL_SECONDS)


def _look(url: str, token: str, submission_id: str) -> Submission | None:
    """The submission now; None while the service does not answer (a part of it may be starting again)."""
    try:
        with Client(url=url, token=token) as client:
            return client.submission(submission_id)
    except ClientError as error:
        if error.status is not None and error.status < 500:
            raise
        return None


def _must_be_scored(entrant: Entrant, submission: Submission) -> None:
    if submission.state in _SHOWN:
        return
    reasons = [defect.message for defect in submission.defects if defect.severity == "error"]
    if submission.failure is not None:
        reasons.append(submission.failure.title)
    raise DemoError(f"{entrant.model}: {submission.state_title}. {' '.join(reasons[:3])}")


@contextmanager
def _bars(console: Console) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description:22}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield progress


def _advance(progress: Progress, bar: TaskID, submission: Submission) -> None:
    total = sum(run.total for run in submission.runs)
    done = sum(run.total if run.state == "succeeded" else min(run.done, run.total) for run in submission.runs)
    if submission.state in _SETTLED:
        progress.update(bar, total=total or 1, completed=total or 1, state=submission.state_title.lower())
        progress.stop_task(bar)
    else:
        progress.update(bar, total=total or None, completed=done, state=submission.state_title.lower())


def _table(board: Leaderboard, title: str) -> Table:
    table = Table(title=f"Blocks, {title}", title_justify="left", header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("model")
    for column in board.columns:
        table.add_column(column.upper() if column != "avg" else "Avg", justify="right")
    for row in board.rows:
        cells = [f"{score:.2f}" if (score := row.scores.get(c)) is not None else "-" for c in board.columns]
        table.add_row(str(row.rank or "-"), row.model, *cells)
    return table


def _end(data_dir: Path, console: Console, *, wanted: bool) -> None:
    """Stop the stack on ``data_dir``, if wanted and running."""
    if not wanted:
        return
    with console.status("ending the service"):
        ended = end_stack(data_dir)
    console.print("the service has ended; its data stays" if ended else "the service is still ending; see: gsi down")
