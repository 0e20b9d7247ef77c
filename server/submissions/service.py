"""Use-cases of submissions. Each runs inside the caller's transaction; nothing here commits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection

from scorer.contract import Verdict
from server.benchmarks import service as benchmarks
from server.errors import ConflictError, InvalidError, NotFoundError
from server.storage.port import Stored
from server.submissions import store
from server.submissions.lifecycle import TITLES, State
from server.submissions.model import NewSubmission, Submission
from server.teams.model import Caller


class Begun(NamedTuple):
    """A submission, and whether this request made it (False: an earlier one with the same idempotency key did)."""

    submission: Submission
    fresh: bool


def begin(conn: Connection, caller: Caller, new: NewSubmission, *, idempotency_key: str | None) -> Begun:
    """Begin a submission for the caller's team.

    Raises NotFoundError for an unknown benchmark, InvalidError for one that only shows published results,
    ConflictError for one that cannot be scored here yet, and when the idempotency key stands for another request.
    """
    benchmark = benchmarks.get(conn, new.benchmark)
    if not benchmark.is_scored:
        raise InvalidError(
            f"{benchmark.title} shows published results and takes no submissions.",
            remedy="Submit to another benchmark.",
        )
    if not benchmark.accepts_submissions:
        raise ConflictError(
            f"{benchmark.title} cannot be scored here yet: {benchmark.what_is_missing} on this service.",
            remedy="Try again once the maintainers have installed it; the benchmark's page says when it is open.",
        )
    version = benchmarks.current_version(conn, new.benchmark)
    request_hash = hashlib.sha256(json.dumps(asdict(new), sort_keys=True).encode()).digest()
    team_id = _team_of(caller)
    added = store.add(
        conn,
        new,
        team_id=team_id,
        benchmark_version=version.version,
        protocol=benchmark.protocol,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
    )
    if added is not None:
        return Begun(_found(conn, added), fresh=True)
    earlier = store.by_idempotency_key(conn, team_id=team_id, key=idempotency_key or "")
    if earlier is None or earlier.request_hash != request_hash:
        raise ConflictError(
            "This Idempotency-Key was used for another request.", remedy="Use a new key for a new submission."
        )
    return Begun(earlier, fresh=False)


def visible(conn: Connection, caller: Caller | None, submission_id: UUID) -> Submission:
    """A submission that the caller may see whole: its team's own, or any for a maintainer.

    Raises NotFoundError otherwise, in the same words as for one that does not exist.
    """
    found = store.get(conn, submission_id)
    if found is None or not may_see(caller, found):
        raise _no_such_submission()
    return found


def published_or_visible(conn: Connection, caller: Caller | None, submission_id: UUID) -> Submission:
    """A submission that the caller may see at least in part: a published one, or one that is theirs to see whole."""
    found = store.get(conn, submission_id)
    if found is None or not (found.state is State.PUBLISHED or may_see(caller, found)):
        raise _no_such_submission()
    return found


def may_see(caller: Caller | None, submission: Submission) -> bool:
    """Whether a submission is the caller's to see whole."""
    return caller is not None and (caller.is_maintainer or caller.team_id == submission.team_id)


def own(conn: Connection, caller: Caller, submission_id: UUID) -> Submission:
    """A submission of the caller's own team; a maintainer has none. Raises NotFoundError."""
    found = visible(conn, caller, submission_id)
    if found.team_id != caller.team_id:
        raise _no_such_submission()
    return found


def awaits_archive(conn: Connection, caller: Caller, submission_id: UUID) -> Submission:
    """A submission of the caller's own team that has no archive yet. Raises NotFoundError, ConflictError."""
    found = own(conn, caller, submission_id)
    if found.state is not State.CREATED:
        raise _wrong_state(found, "has an archive already", "Begin a new submission to upload another archive.")
    return found


def accept_archive(conn: Connection, submission_id: UUID, *, key: str, stored: Stored) -> Submission:
    """The archive is in storage: the gate is next. Raises ConflictError when another upload was first."""
    _archive_received(conn, submission_id, size=stored.size)
    store.set_archive(conn, submission_id, key=key, stored=stored)
    return _found(conn, submission_id)


def accept_unread_archive(conn: Connection, submission_id: UUID, *, key: str, size: int) -> Submission:
    """As `accept_archive` for one that arrived in parts: nobody has read it whole yet; the gate finds its sha256."""
    _archive_received(conn, submission_id, size=size)
    store.set_unread_archive(conn, submission_id, key=key, size=size)
    return _found(conn, submission_id)


def holds_archive(conn: Connection, submission_id: UUID, key: str) -> bool:
    """Whether the archive at ``key`` was accepted for a submission. Waits for a commit that is still under way."""
    return store.lock_archive_key(conn, submission_id) == key


def publish(conn: Connection, submission: Submission) -> Submission:
    """Show the scores on the board. Raises ConflictError unless it is scored."""
    return _act(conn, submission, State.PUBLISHED, "can be published once it is scored")


def unpublish(conn: Connection, submission: Submission) -> Submission:
    """Take the scores off the board. Raises ConflictError unless it is published."""
    if submission.state is not State.PUBLISHED:
        raise _wrong_state(submission, "is not published", "There is nothing to take back.")
    return _act(conn, submission, State.SCORED, "is not published", detail="taken off the board")


def withdraw(conn: Connection, submission: Submission) -> Submission:
    """End a submission for good and forget its archive. Raises ConflictError when it has ended already."""
    _act(conn, submission, State.WITHDRAWN, "has ended already")
    store.drop_archive(conn, submission.id)
    return _found(conn, submission.id)


def retry(conn: Connection, submission: Submission) -> Submission:
    """Try a failed submission anew, from the gate on. Raises ConflictError unless it failed with its archive kept."""
    if submission.archive_key is None:
        raise _wrong_state(submission, "has no archive any more", "Ask the team to submit again.")
    moved = _act(conn, submission, State.UPLOADED, "has not failed", detail="tried again by a maintainer")
    store.clear_failure(conn, submission.id)
    return moved


def record_verdict(conn: Connection, submission: Submission, verdict: Verdict) -> State | None:
    """Write the gate's verdict; the state reached, or None when the submission is no longer being checked."""
    target = State.QUEUED if verdict.accepted else State.REJECTED
    if not store.move(conn, submission.id, target, detail=_summary(verdict)):
        return None
    store.set_defects(conn, submission.id, [defect.model_dump(mode="json") for defect in verdict.defects])
    if target is State.REJECTED:
        store.drop_archive(conn, submission.id)
    return target


def fail(conn: Connection, submission_id: UUID, *, code: str, title: str, remedy: str) -> bool:
    """Record that we could not finish; False when the submission had ended already."""
    if not store.move(conn, submission_id, State.FAILED, detail=title):
        return False
    store.set_failure(conn, submission_id, code=code, title=title, remedy=remedy)
    return True


def _act(conn: Connection, submission: Submission, target: State, why_not: str, *, detail: str = "") -> Submission:
    if not store.move(conn, submission.id, target, detail=detail):
        present = _found(conn, submission.id)
        raise _wrong_state(present, why_not, "Look at its state and decide anew.")
    return _found(conn, submission.id)


def _archive_received(conn: Connection, submission_id: UUID, *, size: int) -> None:
    if not store.move(conn, submission_id, State.UPLOADED, detail=f"{size:,} bytes received"):
        raise ConflictError("Another upload was first, or the submission was withdrawn.")


def _found(conn: Connection, submission_id: UUID) -> Submission:
    found = store.get(conn, submission_id)
    if found is None:
        raise _no_such_submission()
    return found


def _team_of(caller: Caller) -> UUID:
    if caller.team_id is None:
        raise InvalidError("Only teams submit.", remedy="Sign in as a team.")
    return caller.team_id


def _summary(verdict: Verdict) -> str:
    errors = sum(defect.severity == "error" for defect in verdict.defects)
    warnings = len(verdict.defects) - errors
    images = len(verdict.images)
    if verdict.accepted:
        return f"{images} images accepted" + (f", {warnings} warnings" if warnings else "")
    return f"{errors} defects"


def _no_such_submission() -> NotFoundError:
    return NotFoundError("There is no such submission.")


def _wrong_state(submission: Submission, why: str, remedy: str) -> ConflictError:
    title = TITLES[submission.state].lower()
    return ConflictError(f"The submission {why} (its state: {title}).", remedy=remedy)
