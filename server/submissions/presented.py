"""What is shown of a submission: to everybody, and to its team."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from server.submissions import store
from server.submissions.lifecycle import SHOWING_SCORES, TITLES
from server.submissions.model import Submission
from server.submissions.schemas import (
    DefectOut,
    EventOut,
    FailureOut,
    RunErrorOut,
    RunOut,
    SubmissionOut,
    results_of,
)

_RUN_ERRORS = {"lost": "The worker was lost; another one takes over.", "retry": "A passing fault; it is tried again."}


def public(found: Submission) -> SubmissionOut:
    """The submission itself, without what belongs to its team."""
    here = f"/api/v1/submissions/{found.id}"
    return SubmissionOut(
        id=found.id,
        benchmark=found.benchmark_id,
        benchmark_version=found.benchmark_version,
        protocol=found.protocol,
        team=found.team_name,
        model=found.model,
        organization=found.organization,
        description=found.description,
        url=found.url,
        state=found.state,
        state_title=TITLES[found.state],
        created_at=found.created_at,
        published_at=found.published_at,
        archive_bytes=found.archive_bytes,
        archive_sha256=found.archive_sha256,
        links={"self": here, "archive": f"{here}/archive", "uploads": f"{here}/uploads"},
    )


def whole(conn: Connection, found: Submission) -> SubmissionOut:
    """All that its team may see."""
    return public(found).model_copy(
        update={
            "events": [EventOut(at=e.at, state=e.state, detail=e.detail) for e in store.events(conn, found.id)],
            "defects": [DefectOut.model_validate(defect) for defect in found.defects],
            "runs": [
                RunOut(
                    subset=run.subset,
                    state=run.state,
                    attempt=run.attempt,
                    stage=run.stage,
                    done=run.done,
                    total=run.total,
                    error=_run_error(run.error_code),
                )
                for run in store.newest_runs(conn, found.id)
            ],
            **(numbers(conn, found) if found.state in SHOWING_SCORES else {}),
            "embargo_until": found.embargo_until,
            "moderation_reason": found.moderation_reason,
            "failure": FailureOut(
                code=found.failure_code, title=found.failure_title or "", remedy=found.failure_remedy or ""
            )
            if found.failure_code
            else None,
        }
    )


def numbers(conn: Connection, found: Submission) -> dict[str, Any]:
    """``results`` under the protocol that ranks, ``beside`` under the others."""
    everything = results_of(store.scores(conn, found.id))
    return {"results": everything.pop(found.protocol, None), "beside": everything}


def _run_error(code: str | None) -> RunErrorOut | None:
    return RunErrorOut(code=code, title=_RUN_ERRORS.get(code, "The attempt failed.")) if code else None
