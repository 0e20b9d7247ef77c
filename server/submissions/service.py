"""Use-cases of submissions. Each runs inside the caller's transaction; nothing here commits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg import Connection

from scorer.contract import Verdict
from server.benchmarks import service as benchmarks
from server.errors import ConflictError, InvalidError, NotFoundError
from server.settings import Settings
from server.storage.port import Stored
from server.submissions import store
from server.submissions.lifecycle import TITLES, State
from server.submissions.model import NewSubmission, Submission
from server.submissions.quotas import service as quotas
from server.teams.model import Caller

LONGEST_EMBARGO = timedelta(days=366)


def begin(conn: Connection, caller: Caller, new: NewSubmission, *, settings: Settings) -> Submission:
    """Begin a submission for the caller's team; it takes its place in the team's quotas.

    Raises NotFoundError for an unknown benchmark, InvalidError for one that only shows published results,
    ConflictError for one that cannot be scored here yet, QuotaError when the team may submit no more at present.
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
    team_id = _team_of(caller)
    quotas.reserve(conn, team_id=team_id, benchmark_id=new.benchmark, settings=settings)
    added = store.add(conn, new, team_id=team_id, benchmark_version=version.version, protocol=benchmark.protocol)
    return _found(conn, added)


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


def publish(conn: Connection, submission: Submission, *, embargo_until: datetime | None = None) -> Submission:
    """Show the scores on the board, at once or when the embargo ends.

    Raises ConflictError unless it is scored (or waits for its day already), InvalidError for a day that is no embargo.
    """
    may = {State.SCORED, State.EMBARGOED}
    why_not = "can be published once it is scored"
    if embargo_until is None:
        return _act(conn, submission, State.PUBLISHED, why_not, only_from=may)
    now = datetime.now(UTC)
    if not now < embargo_until <= now + LONGEST_EMBARGO:
        raise InvalidError(
            f"An embargo ends in the future, at most {LONGEST_EMBARGO.days} days from now.",
            remedy="Name such a time in embargo_until, with its zone; or leave it out to publish at once.",
        )
    if submission.state is State.EMBARGOED:
        submission = unpublish(conn, submission)
    detail = f"to be published at {embargo_until.astimezone(UTC):%Y-%m-%d %H:%M UTC}"
    return _act(conn, submission, State.EMBARGOED, why_not, detail=detail, embargo_until=embargo_until)


def unpublish(conn: Connection, submission: Submission) -> Submission:
    """Take the scores off the board, or the embargo back. Raises ConflictError unless it is published or embargoed."""
    may = {State.PUBLISHED, State.EMBARGOED}
    detail = "embargo taken back" if submission.state is State.EMBARGOED else "taken off the board"
    return _act(conn, submission, State.SCORED, "is not published", detail=detail, only_from=may)


def publish_due(conn: Connection) -> list[UUID]:
    """Publish what waited for its day; which those were."""
    due = store.embargoes_over(conn)
    return [one for one in due if store.move(conn, one, State.PUBLISHED, detail="the embargo has ended")]


def hide(conn: Connection, submission: Submission, *, reason: str) -> Submission:
    """Take an entry off the board until a maintainer shows it again. Raises ConflictError unless it is published."""
    return _act(conn, submission, State.DELISTED, "is not published", detail=reason)


def show(conn: Connection, submission: Submission) -> Submission:
    """Put an entry back on the board. Raises ConflictError unless a maintainer took it off."""
    why_not = "was not taken off the board"
    return _act(conn, submission, State.PUBLISHED, why_not, detail="shown again", only_from={State.DELISTED})


def disqualify(conn: Connection, submission: Submission, *, reason: str) -> Submission:
    """Say that a result does not count; its team sees why. Raises ConflictError unless it is scored."""
    return _act(conn, submission, State.DISQUALIFIED, "has no scores to disqualify", detail=reason)


def reinstate(conn: Connection, submission: Submission) -> Submission:
    """Let a disqualified result count again; its team decides whether to publish. Raises ConflictError otherwise."""
    detail = "a maintainer has taken the disqualification back"
    return _act(conn, submission, State.SCORED, "is not disqualified", detail=detail, only_from={State.DISQUALIFIED})


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


def _act(
    conn: Connection,
    submission: Submission,
    target: State,
    why_not: str,
    *,
    detail: str = "",
    only_from: Collection[State] | None = None,
    embargo_until: datetime | None = None,
) -> Submission:
    moved = store.move(conn, submission.id, target, detail=detail, only_from=only_from, embargo_until=embargo_until)
    if not moved:
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
