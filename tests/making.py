"""Submissions in any state, with the scores one wants, made through the stores that the service uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from psycopg import Connection

from server.benchmarks.service import Registered
from server.storage.port import Stored, report_key
from server.submissions import store
from server.submissions.lifecycle import State
from server.submissions.model import NewSubmission
from server.teams import store as teams

_SCORED = (State.UPLOADED, State.VALIDATING, State.QUEUED, State.SCORING, State.SCORED)
PATHS: Mapping[State, tuple[State, ...]] = {
    State.CREATED: (),
    State.UPLOADED: (State.UPLOADED,),
    State.VALIDATING: (State.UPLOADED, State.VALIDATING),
    State.REJECTED: (State.UPLOADED, State.VALIDATING, State.REJECTED),
    State.QUEUED: (State.UPLOADED, State.VALIDATING, State.QUEUED),
    State.SCORING: (State.UPLOADED, State.VALIDATING, State.QUEUED, State.SCORING),
    State.SCORED: _SCORED,
    State.PUBLISHED: (*_SCORED, State.PUBLISHED),
    State.FAILED: (State.UPLOADED, State.FAILED),
    State.WITHDRAWN: (State.WITHDRAWN,),
    State.EMBARGOED: (*_SCORED, State.EMBARGOED),
    State.DELISTED: (*_SCORED, State.PUBLISHED, State.DELISTED),
    State.DISQUALIFIED: (*_SCORED, State.DISQUALIFIED),
}
"""The shortest way to each state."""

DIMENSIONS = ("ic", "sa", "ac", "el", "avg")
Numbers = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Subset → "all" or operation → dimension → value."""


def submission(
    conn: Connection,
    benchmark: Registered,
    *,
    state: State = State.CREATED,
    team: str = "Owners",
    model: str = "A model",
    embargo_until: datetime | None = None,
    numbers: Numbers | None = None,
) -> UUID:
    """A submission of ``team`` that went the whole way to ``state``, with an archive once it is past the upload."""
    team_id = teams.find_or_make_team(conn, name=team).id
    made = store.add(
        conn,
        NewSubmission(benchmark=benchmark.benchmark, model=model),
        team_id=team_id,
        benchmark_version=benchmark.version,
        protocol="gsi-fair-1",
    )
    for step in PATHS[state]:
        assert store.move(conn, made, step, embargo_until=embargo_until), step
        if step is State.UPLOADED:
            store.set_archive(conn, made, key=f"submissions/{made}/a.zip", stored=Stored(3, "0" * 64))
    for subset, operations in (numbers or {}).items():
        score(conn, made, subset=subset, operations=operations)
    return made


def score(
    conn: Connection,
    submission_id: UUID,
    *,
    subset: str,
    operations: Mapping[str, Mapping[str, float]],
    state: str = "succeeded",
    attempt: int = 1,
) -> None:
    """A run on ``subset`` (one that succeeded, if nothing else is said), with its numbers; its report is not stored."""
    run_id = uuid4()
    conn.execute(
        "insert into runs (id, submission_id, subset, attempt, protocol, benchmark_version, state, report_key)"
        " select %s, id, %s, %s, protocol, benchmark_version, %s::run_state, %s from submissions where id = %s",
        (run_id, subset, attempt, state, report_key(run_id) if state == "succeeded" else None, submission_id),
    )
    for operation, row in operations.items():
        for dimension, value in row.items():
            conn.execute(
                "insert into scores (submission_id, run_id, subset, protocol, operation, dimension, value, n, missing)"
                " select id, %s, %s, protocol, %s, %s, %s, 2, 0 from submissions where id = %s",
                (run_id, subset, operation, dimension, value, submission_id),
            )


def flat(value: float) -> dict[str, float]:
    """The same number in every dimension."""
    return dict.fromkeys(DIMENSIONS, value)


def everywhere(value: float, *, operations: tuple[str, ...] = ("all",)) -> Numbers:
    """The same number on both subsets of the tests' benchmark."""
    return {subset: {one: flat(value) for one in operations} for subset in ("blocks-tabletop", "blocks-room")}
