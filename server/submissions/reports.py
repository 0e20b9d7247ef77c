"""What the runs of a submission reported: every number with its reasons. For maintainers alone.

Reports name boxes and distances of the part of a benchmark that nobody else may know: no use-case here is for a team.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from psycopg import Connection
from pydantic import ValidationError

from scorer.contract import Report, Result
from server.errors import MissingObjectError, NotFoundError
from server.storage.port import Storage
from server.submissions import store
from server.submissions.model import StoredReport
from server.submissions.schemas import ReportedProtocolOut, ReportOut


def listed(conn: Connection, storage: Storage, submission_id: UUID) -> list[ReportOut]:
    """The reports of a submission, one for each subset that was scored, by subset; each is read whole, in turn.

    Raises StorageError when the storage does not answer; a report that is gone or unreadable is listed as such.
    """
    return [_described(storage, one) for one in store.reports(conn, submission_id)]


def of_subset(conn: Connection, submission_id: UUID, subset: str) -> StoredReport:
    """The report on one subset. Raises NotFoundError when there is none."""
    found = {one.subset: one for one in store.reports(conn, submission_id)}
    if subset not in found:
        known = ", ".join(found) or "none: no subset has been scored"
        raise NotFoundError(
            f"This submission has no report on a subset {subset!r}.", remedy=f"Subsets with a report: {known}."
        )
    return found[subset]


def content(storage: Storage, report: StoredReport) -> Iterator[bytes]:
    """The report as the scorer wrote it, in chunks. Raises MissingObjectError when the storage has lost it."""
    try:
        return storage.read(report.report_key)
    except MissingObjectError as error:
        raise MissingObjectError(
            f"The report of run {report.run} is not in the storage.",
            remedy="Restore the storage from a backup; the scores themselves are in the database.",
        ) from error


def _described(storage: Storage, stored: StoredReport) -> ReportOut:
    try:
        report = Report.model_validate_json(b"".join(content(storage, stored)))
    except (MissingObjectError, ValidationError):
        return ReportOut(run=stored.run, subset=stored.subset, readable=False, protocols=[])
    return ReportOut(
        run=stored.run,
        subset=stored.subset,
        readable=True,
        protocols=[
            ReportedProtocolOut(
                protocol=name,
                samples=len(report.results[name].samples),
                suspicious=_suspicious(report.results[name]),
            )
            for name in report.manifest.protocols
        ],
    )


def _suspicious(result: Result) -> int:
    """Judgements that our own look at the object contradicts (docs/protocol.md, the judge's praise)."""
    return sum(sample.explanation.get("appearance", {}).get("suspicious") is True for sample in result.samples)
