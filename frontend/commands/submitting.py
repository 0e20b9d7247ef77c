"""submit, status: from a zip on disk to a result."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import typer
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from frontend.client import Client
from frontend.commands import show
from frontend.commands.checking import judge, manifest_of_service
from frontend.commands.session import Exit, Session
from frontend.errors import ClientError
from frontend.present import TERMINAL, duration, stage_title, state_badge
from frontend.resources import Submission
from frontend.resuming import folder_of
from frontend.team_resources import Progress
from frontend.uploading import Listener, deliver

_PAUSE = 1.0  # seconds between looks at a submission
_PATIENCE = 60.0  # seconds that a service may be gone while it is watched


def submit(
    session: Session,
    *,
    archive: Path,
    benchmark: str,
    model: str,
    organization: str,
    description: str,
    url: str,
    checks: bool,
    wait: bool,
    publish: bool,
    parallel: int,
    as_json: bool,
) -> None:
    """Check, announce, upload, and on request wait for the result and publish it."""
    if checks and not judge(session, archive=archive, manifest=manifest_of_service(session, benchmark), quiet=True):
        raise typer.Exit(Exit.REJECTED)
    wish = {
        "benchmark": benchmark,
        "model": model,
        "organization": organization,
        "description": description,
        "url": url,
    }
    with session.member() as client:
        found = _deliver(session, client, archive, wish, parallel=parallel)
        if not as_json:
            session.out.print(f"Submitted as [bold]{escape(found.id)}[/]", soft_wrap=True)
        if wait or publish:
            found = follow(session, client, found.id)
        if publish and found.state == "scored":
            found = client.act(found.id, verb="publish")
    report(session, found, as_json=as_json, brief=not (wait or publish))


def _deliver(session: Session, client: Client, archive: Path, wish: Mapping[str, str], *, parallel: int) -> Submission:
    """Announce and upload with a bar of progress, rate and time left; an interrupted delivery is gone on with."""
    columns = (
        TextColumn("Uploading"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Bars(*columns, console=session.err, transient=True) as bar:
        task = bar.add_task("upload", total=archive.stat().st_size)

        def going_on(submission: str) -> None:
            session.err.print(f"Going on with the upload of {escape(submission)}", soft_wrap=True)

        def advance(moved: int) -> None:
            bar.update(task, advance=moved)

        listener = Listener(going_on=going_on, there=advance, moved=advance)
        folder = folder_of(os.environ)
        return deliver(client, archive, wish, folder=folder, listener=listener, parallel=parallel)


def status(session: Session, *, submission: str, watch: bool, as_json: bool) -> None:
    """Show a submission; with `watch` until it has come to rest."""
    with session.anybody() as client:
        found = follow(session, client, submission) if watch else client.submission(submission)
    report(session, found, as_json=as_json)


def report(session: Session, found: Submission, *, as_json: bool, brief: bool = False) -> None:
    """Write a submission and end with the exit code of its state."""
    if as_json:
        session.json(asdict(found))
    elif brief:
        session.out.print(f"Follow it with: gsi status {escape(found.id)} --watch", soft_wrap=True)
        session.out.print(f"or at {escape(session.url)}/submission?id={quote(found.id, safe='')}", soft_wrap=True)
    else:
        show.submission(session.out, found, url=session.url)
    ending = {"rejected": Exit.REJECTED, "failed": Exit.FAILED}.get(found.state)
    if ending:
        raise typer.Exit(ending)


def follow(
    session: Session,
    client: Client,
    submission: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Submission:
    """Watch until the submission rests (scored, refused, failed, ...); a short absence of the service is waited out.

    The service tells by its stream when something has changed; where there is none, it is asked each second.
    """
    last_seen = now()
    with _bars(session) as draw:
        while True:
            try:
                found = client.submission(submission)
                last_seen = now()
                draw(found, None)
                if found.state in TERMINAL:
                    return found
                for progress in _told(client, submission):
                    last_seen = now()
                    draw(client.submission(submission), progress)
            except ClientError as error:
                if error.status not in (0, 502, 503, 504) or now() - last_seen > _PATIENCE:
                    raise
            sleep(_PAUSE)


def _told(client: Client, submission: str) -> Iterator[Progress]:
    """What the stream tells; nothing where the service has none for us."""
    try:
        yield from client.stream(submission)
    except ClientError as error:
        if error.status in (401, 403):
            raise


def _waiting(progress: Progress | None) -> str:
    """The place in the queue and the estimate, in words."""
    if progress is None or progress.at_rest:
        return ""
    before = f", {progress.position} before it" if progress.position > 0 else ""
    if progress.p50 is None or progress.p90 is None:
        return before
    return f"{before}, ready in about {duration(progress.p50)} (90%: {duration(progress.p90)})"


@contextmanager
def _bars(session: Session) -> Iterator[Callable[[Submission, Progress | None], None]]:
    """One bar for each subset, and the state above them."""
    stage_column = TextColumn("[dim]{task.fields[stage]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), stage_column)
    with Bars(*columns, console=session.err, transient=True) as bar:
        state_line = bar.add_task("", total=None, stage="")
        tasks: dict[str, TaskID] = {}

        def draw(found: Submission, progress: Progress | None) -> None:
            bar.update(state_line, description=state_badge(found.state).word + _waiting(progress))
            for run in found.runs:
                if run.subset not in tasks:
                    tasks[run.subset] = bar.add_task(run.subset, total=None, stage="")
                stage = stage_title(run.stage)
                bar.update(tasks[run.subset], completed=run.done, total=run.total or None, stage=stage)

        yield draw
