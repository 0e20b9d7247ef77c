"""check, submit, status: from a zip on disk to a result."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from frontend.client import Client
from frontend.commands import show
from frontend.commands.session import Exit, Session
from frontend.errors import ClientError, Unreachable
from frontend.present import TERMINAL, stage_title, state_badge
from frontend.resources import Defect, Submission
from frontend.resuming import folder_of
from frontend.uploading import Listener, deliver
from scorer.bundle import check as check_archive
from scorer.contract import BenchmarkManifest

_PAUSE = 1.0  # seconds between looks at a submission
_PATIENCE = 60.0  # seconds that a service may be gone while it is watched


def check(session: Session, *, archive: Path, benchmark: str, manifest: Path | None, as_json: bool) -> None:
    """Judge an archive here and end with 65 when the service would refuse it."""
    known = _manifest_of_file(manifest) if manifest else _manifest_to_check_by(session, benchmark)
    accepted = _judge(session, archive=archive, manifest=known, as_json=as_json)
    if not accepted:
        raise typer.Exit(Exit.REJECTED)


def _manifest_of_file(path: Path) -> BenchmarkManifest:
    try:
        return BenchmarkManifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ClientError(
            code="manifest_unreadable",
            title=f"{path} is not a benchmark manifest",
            detail=_reason(error),
            remedy="Take benchmark.json from the benchmark's inputs, unchanged.",
            status=422,
        ) from error


def _reason(error: OSError | ValidationError) -> str:
    """The first thing that is wrong, with where it stands in the document."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    first = error.errors(include_url=False)[0]
    return ": ".join(part for part in (".".join(map(str, first["loc"])), first["msg"]) if part)


def _manifest_to_check_by(session: Session, benchmark: str) -> BenchmarkManifest:
    """The service's manifest; while it is away the error says how to check without it."""
    try:
        return _manifest_of_service(session, benchmark)
    except ClientError as error:
        if isinstance(error, Unreachable) or (error.status >= 500 and error.code != "manifest_unreadable"):
            offline = "To check without a service, add --manifest FILE with the benchmark.json of the inputs."
            error.remedy = f"{error.remedy} {offline}".strip()
        raise


def _manifest_of_service(session: Session, benchmark: str) -> BenchmarkManifest:
    with session.anybody() as client:
        body = client.manifest(benchmark)
    try:
        return BenchmarkManifest.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise ClientError(
            code="manifest_unreadable",
            title="This program does not understand the benchmark's manifest",
            remedy="Update it to the version of the service, or skip the local check with --no-check.",
            status=500,
        ) from error


def _judge(session: Session, *, archive: Path, manifest: BenchmarkManifest, as_json: bool, quiet: bool = False) -> bool:
    with session.err.status("Checking the archive"):
        verdict = check_archive(archive=archive, manifest=manifest)
    found = [Defect.read(defect.model_dump(mode="json")) for defect in verdict.defects]
    if as_json:
        session.json({**verdict.model_dump(mode="json", exclude={"images"}), "usable_images": len(verdict.images)})
        return verdict.accepted
    if found:
        show.defects(session.err if quiet else session.out, found)
    if not (quiet and verdict.accepted):
        _say_verdict(session, accepted=verdict.accepted, usable=len(verdict.images), expected=len(manifest.samples))
    return verdict.accepted


def _say_verdict(session: Session, *, accepted: bool, usable: int, expected: int) -> None:
    counted = f"{usable} of {expected} images are usable."
    if accepted:
        session.out.print(f"[green]The archive would be accepted.[/] {counted}")
    else:
        session.out.print(f"[red]The archive would be refused.[/] {counted} Mend the errors above and check again.")


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
    if checks and not _judge(
        session, archive=archive, manifest=_manifest_of_service(session, benchmark), as_json=False, quiet=True
    ):
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
    with Progress(*columns, console=session.err, transient=True) as bar:
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
