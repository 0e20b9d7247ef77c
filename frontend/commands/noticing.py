"""notices: where a team is told of its submissions' endings."""

from dataclasses import asdict

from rich.markup import escape

from frontend.commands.session import Session
from frontend.present import clock
from frontend.team_resources import Target


def targets(session: Session, *, as_json: bool) -> None:
    """List the targets."""
    with session.member() as client:
        found = client.targets()
    if as_json:
        session.json([asdict(one) for one in found])
        return
    if not found:
        session.out.print("Your team is told nowhere. Add a target with `gsi notices webhook` or `gsi notices email`.")
    for one in found:
        session.out.print(f"{one.id}  {_line(one)}", soft_wrap=True)


def webhook(session: Session, *, url: str, as_json: bool) -> None:
    """Add a webhook and show its secret, this once."""
    with session.member() as client:
        added = client.add_webhook(url)
    if as_json:
        session.json(asdict(added))
        return
    session.out.print(f"Added {added.id}: {escape(added.address)}", soft_wrap=True)
    session.out.print(f"Its secret, shown this once: {escape(added.secret)}", soft_wrap=True)


def email(session: Session, *, address: str, as_json: bool) -> None:
    """Add an e-mail address; its owner confirms it."""
    with session.member() as client:
        added = client.add_email(address)
    if as_json:
        session.json(asdict(added))
        return
    session.out.print(f"Added {added.id}: {escape(added.address)}", soft_wrap=True)
    session.out.print(f"A code was mailed there. Enter it with: gsi notices confirm {added.id} CODE", soft_wrap=True)


def confirm(session: Session, *, target: str, code: str) -> None:
    """Confirm an e-mail address."""
    with session.member() as client:
        found = client.confirm_target(target, code=code)
    session.out.print(f"Confirmed {escape(found.address)}.")


def test(session: Session, *, target: str) -> None:
    """Send a notice that tells nothing."""
    with session.member() as client:
        client.test_target(target)
    session.out.print("A test is on its way; `gsi notices deliveries` tells how it ended.")


def remove(session: Session, *, target: str) -> None:
    """Send nothing there any more."""
    with session.member() as client:
        client.remove_target(target)
    session.out.print("Removed.")


def deliveries(session: Session, *, dead: bool, as_json: bool) -> None:
    """What was sent, newest first."""
    with session.member() as client:
        found = client.deliveries(state="dead" if dead else "")
    if as_json:
        session.json([asdict(one) for one in found])
        return
    if not found:
        session.out.print("Nothing has been sent.")
    for one in found:
        error = f": {escape(one.last_error)}" if one.last_error else ""
        words = f"{one.what} to {escape(one.address)}, {one.state} after {one.attempts}{error}"
        session.out.print(f"{one.id}  {clock(one.created_at)}  {words}", soft_wrap=True)


def retry(session: Session, *, delivery: str) -> None:
    """Try a delivery that was given up anew."""
    with session.member() as client:
        client.retry_delivery(delivery)
    session.out.print("It is tried anew.")


def _line(target: Target) -> str:
    waits = "" if target.confirmed_at else ", waits for its code"
    return f"{target.kind} {escape(target.address)}{waits}"
