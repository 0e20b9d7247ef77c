"""What a notice says, to programs and to people. Never a score: those are fetched by who may see them."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from server.notices.model import CONFIRM, Claimed, Subject
from server.submissions.lifecycle import TITLES, State


def content(claimed: Claimed, subject: Subject | None, *, public_url: str) -> dict[str, Any]:
    """The JSON that a webhook gets."""
    if subject is None:
        return {"id": str(claimed.id), "type": claimed.what, "at": claimed.created_at.isoformat()}
    return {
        "id": str(claimed.id),
        "type": claimed.what,
        "at": subject.at.astimezone(UTC).isoformat(),
        "submission": {
            "id": str(subject.id),
            "benchmark": subject.benchmark_id,
            "model": subject.model,
            "state": subject.state,
            "state_title": TITLES[State(subject.state)],
            "detail": subject.detail,
            "links": {
                "self": f"{public_url}/api/v1/submissions/{subject.id}",
                "page": f"{public_url}/submission?id={subject.id}",
            },
        },
    }


def mail(claimed: Claimed, subject: Subject | None, *, public_url: str, code: str) -> tuple[str, str]:
    """Subject and text of a mail."""
    if claimed.what == CONFIRM:
        return (
            "[GSI-Bench] Confirm your address",
            f"A team at {public_url} wants to send notices of its submissions here.\n\n"
            f"The code that confirms it: {code}\n\n"
            "If you know nothing of it, do nothing: without the code no other mail will come.\n",
        )
    if subject is None:
        return "[GSI-Bench] A test", f"Notices of your team's submissions at {public_url} arrive here.\n"
    title = TITLES[State(subject.state)]
    detail = f"\n{subject.detail}\n" if subject.detail else ""
    return (
        f"[GSI-Bench] {subject.model}: {title}",
        f"{subject.model}, submitted to {subject.benchmark_title}: {title}\n"
        f"{detail}\n{public_url}/submission?id={subject.id}\n\n"
        f"You get this because your team asked for it; it is ended at {public_url}/notices.\n",
    )
