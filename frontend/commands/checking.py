"""check: what the service's gate would say of a zip, said here."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from frontend.commands import show
from frontend.commands.session import Exit, Session
from frontend.errors import ClientError, Unreachable
from frontend.resources import Defect
from scorer.bundle import Outline
from scorer.bundle import check as check_archive
from scorer.contract import BenchmarkManifest
from scorer.contract import Defect as Found


def check(
    session: Session, *, archive: Path, benchmark: str, manifest: Path | None, threads: int | None, as_json: bool
) -> None:
    """Judge an archive here and end with 65 when the service would refuse it."""
    known = _manifest_of_file(manifest) if manifest else _manifest_to_check_by(session, benchmark)
    accepted = judge(session, archive=archive, manifest=known, threads=threads, as_json=as_json)
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
        return manifest_of_service(session, benchmark)
    except ClientError as error:
        if isinstance(error, Unreachable) or (error.status >= 500 and error.code != "manifest_unreadable"):
            offline = "To check without a service, add --manifest FILE with the benchmark.json of the inputs."
            error.remedy = f"{error.remedy} {offline}".strip()
        raise


def manifest_of_service(session: Session, benchmark: str) -> BenchmarkManifest:
    """The manifest that the service publishes. Raises ClientError where there is none that this program can read."""
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


def judge(
    session: Session,
    *,
    archive: Path,
    manifest: BenchmarkManifest,
    threads: int | None = None,
    as_json: bool = False,
    quiet: bool = False,
) -> bool:
    """Whether the service would accept an archive. Defects are shown as they are found; ``quiet``: nothing else is."""
    showing = _Showing(session, expected=len(manifest.samples), silent=as_json, quiet=quiet)
    try:
        verdict = check_archive(
            archive=archive,
            manifest=manifest,
            threads=threads or _processors(),
            on_outline=showing.outline,
            on_image=showing.image,
        )
    finally:
        showing.bar.stop()
    if as_json:
        session.json({**verdict.model_dump(mode="json", exclude={"images"}), "usable_images": len(verdict.images)})
    else:
        showing.verdict(verdict.defects, accepted=verdict.accepted, usable=len(verdict.images))
    return verdict.accepted


def _processors() -> int:
    """How many this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Showing:
    """What the terminal sees of a check, in its order: structure and names, a bar, what the images are like."""

    def __init__(self, session: Session, *, expected: int, silent: bool, quiet: bool) -> None:
        self._out = session.err if quiet else session.out
        self._expected = expected
        self._silent = silent
        self._quiet = quiet
        self._told: list[Found] = []
        self._began = time.monotonic()
        columns = (TextColumn("Decoding images"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=session.err, transient=True)
        self._task = self.bar.add_task("images", total=None)

    def outline(self, found: Outline) -> None:
        """The verdict on structure and names, before any image is unpacked; then the bar begins."""
        if not self._silent:
            self._outline(found)
        if found.images:
            self.bar.update(self._task, total=found.images)
            self.bar.start()

    def _outline(self, found: Outline) -> None:
        self._defects(found.defects)
        if not self._quiet:
            word = "[green]in order[/]" if found.accepted else "[red]not in order[/]"
            took = time.monotonic() - self._began
            counted = f"{found.images} of {self._expected} images found"
            self._out.print(f"Structure and names: {word}, {counted} ({took:.1f} s)", soft_wrap=True)

    def image(self) -> None:
        """One image was looked at."""
        self.bar.advance(self._task)

    def verdict(self, defects: Iterable[Found], *, accepted: bool, usable: int) -> None:
        """What has not been told, and what follows from all."""
        self._defects(found for found in defects if found not in self._told)
        counted = f"{usable} of {self._expected} images are usable."
        if not accepted:
            mend = "Mend the errors above and check again."
            self._out.print(f"[red]The archive would be refused.[/] {counted} {mend}", soft_wrap=True)
        elif not self._quiet:
            self._out.print(f"[green]The archive would be accepted.[/] {counted}", soft_wrap=True)

    def _defects(self, found: Iterable[Found]) -> None:
        new = list(found)
        self._told += new
        show.defects(self._out, [Defect.read(defect.model_dump(mode="json")) for defect in new])
