"""submit, status: from a zip on disk to a result."""

import time
from collections.abc import Callable, Iterator
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
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)

from frontend.client import Client
from frontend.commands import show
from frontend.commands.checking import judge, manifest_of_service
from frontend.commands.session import Exit, Session
from frontend.errors import ClientError
from frontend.present import TERMINAL, stage_title, state_badge
from frontend.resources import Submission

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
    as_json: bool,
) -> None:
    """Check, announce, upload, and on request wait for the result and publish it."""
    if checks and not judge(session, archive=archive, manifest=manifest_of_service(session, benchmark), quiet=True):
        raise typer.Exit(Exit.REJECTED)
    with session.member() as client:
        made = client.create(
            benchmark=benchmark, model=model, organization=organization, description=description, url=url
        )
        found = _upload(session, client, made.id, archive)
        if not as_json:
            session.out.print(f"Submitted as [bold]{escape(found.id)}[/]", soft_wrap=True)
        if wait or publish:
            found = follow(session, client, found.id)
        if publish and found.state == "scored":
            found = client.act(found.id, verb="publish")
    report(session, found, as_json=as_json, brief=not (wait or publish))


def _upload(session: Session, client: Client, submission: str, archive: Path) -> Submission:
    columns = (TextColumn("Uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=session.err, transient=True) as bar:
        task = bar.add_task("upload", total=archive.stat().st_size)
        return client.upload(submission, archive, progress=lambda sent, _total: bar.update(task, completed=sent))


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
    """Watch until the submission rests (scored, refused, failed, ...); a short absence of the service is waited out."""
    last_seen = now()
    with _bars(session) as draw:
        while True:
            try:
                found = client.submission(submission)
                last_seen = now()
                draw(found)
                if found.state in TERMINAL:
                    return found
            except ClientError as error:
                if error.status not in (0, 502, 503, 504) or now() - last_seen > _PATIENCE:
                    raise
            sleep(_PAUSE)


@contextmanager
def _bars(session: Session) -> Iterator[Callable[[Submission], None]]:
    """One bar for each subset, and the state above them."""
    stage_column = TextColumn("[dim]{task.fields[stage]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), stage_column)
    with Progress(*columns, console=session.err, transient=True) as bar:
        state_line = bar.add_task("", total=None, stage="")
        tasks: dict[str, TaskID] = {}

        def draw(found: Submission) -> None:
            bar.update(state_line, description=state_badge(found.state).word)
            for run in found.runs:
                if run.subset not in tasks:
                    tasks[run.subset] = bar.add_task(run.subset, total=None, stage="")
                stage = stage_title(run.stage)
                bar.update(tasks[run.subset], completed=run.done, total=run.total or None, stage=stage)

        yield draw
