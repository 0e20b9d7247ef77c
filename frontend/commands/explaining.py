"""explain: the report behind a submission's numbers, for maintainers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer
from pydantic import ValidationError

from frontend.client import Client
from frontend.commands import show_report
from frontend.commands.session import Session
from frontend.errors import ClientError
from frontend.maintainer_resources import ReportListing
from scorer.contract import Report, Result, SampleReport

_AS_A_MAINTAINER = (
    "Log in as a maintainer: `gsi login --maintainer` on a development service, else --token or GSI_TOKEN."
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be explained; empty members leave it open (`protocol`: the one that ranks)."""

    submission: str
    subset: str
    sample: str
    protocol: str
    suspicious: bool


def explain(session: Session, wish: Wish, *, as_json: bool) -> None:
    """Write the samples of a submission with their reasons, or everything about one of them."""
    if wish.sample and wish.suspicious:
        raise typer.BadParameter("--sample names one sample and --suspicious lists many: use one of them")
    with _as_maintainer(), session.member() as client:
        found = _wanted(client, wish)
    if as_json:
        session.json([_plain(part) for part in found])
        return
    for part in found:
        if wish.sample:
            show_report.sample(session.out, part)
        else:
            show_report.samples(session.out, part, only_suspicious=wish.suspicious)


@contextmanager
def _as_maintainer() -> Iterator[None]:
    """An error about who is calling says that this takes a maintainer."""
    try:
        yield
    except ClientError as error:
        if error.status in (401, 403) or error.code == "no_token":
            error.remedy = _AS_A_MAINTAINER
        raise


def _wanted(client: Client, wish: Wish) -> list[show_report.Part]:
    """What the wish leaves of each report. Reads no further report once the one sample that is asked for is found."""
    parts = []
    for listed in _listed(client, wish):
        part = _part(listed, _report(client, wish.submission, listed), wish)
        if wish.sample and part.samples:
            return [part]
        parts.append(part)
    if wish.sample:
        raise _missing(
            f"No report of this submission has a sample {wish.sample!r}", "`gsi explain ID` lists the samples."
        )
    return parts


def _listed(client: Client, wish: Wish) -> list[ReportListing]:
    known = client.reports(wish.submission)
    if not known:
        raise _missing("This submission has no report", "A subset has one once it is scored: `gsi status ID`.")
    wanted = [one for one in known if wish.subset in ("", one.subset)]
    if not wanted:
        names = ", ".join(one.subset for one in known)
        raise _missing(f"There is no report on a subset {wish.subset!r}", f"Subsets with a report: {names}.")
    return wanted


def _report(client: Client, submission: str, listed: ReportListing) -> Report:
    body = client.report(submission, listed.subset)
    try:
        return Report.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise ClientError(
            code="report_unreadable",
            title=f"This program does not understand the report of run {listed.run}",
            remedy="Use the version of the program that the service had when it scored; --subset leaves others out.",
            status=500,
        ) from error


def _part(listed: ReportListing, report: Report, wish: Wish) -> show_report.Part:
    protocol = wish.protocol or report.manifest.protocol
    if protocol not in report.results:
        names = ", ".join(report.manifest.protocols)
        raise _missing(f"Run {listed.run} was not scored under {protocol!r}", f"It was under: {names}.")
    return show_report.Part(
        subset=listed.subset, run=listed.run, protocol=protocol, samples=_kept(report.results[protocol], wish)
    )


def _kept(result: Result, wish: Wish) -> list[SampleReport]:
    return [
        one
        for one in result.samples
        if wish.sample in ("", one.id) and (show_report.is_suspicious(one) or not wish.suspicious)
    ]


def _plain(part: show_report.Part) -> dict[str, Any]:
    samples = [one.model_dump(mode="json") for one in part.samples]
    return {"subset": part.subset, "run": part.run, "protocol": part.protocol, "samples": samples}


def _missing(title: str, remedy: str) -> ClientError:
    return ClientError(code="not-found", title=title, remedy=remedy, status=404)
