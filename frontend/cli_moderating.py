"""The commands `gsi quota …` and `gsi moderate …`; declarations only, as in frontend.cli."""

from typing import Annotated, Literal

import typer

from frontend.options import Benchmark, Id, Json, Token, Url

quota_app = typer.Typer(no_args_is_help=True, help="What a team may still submit; maintainers set and grant it.")
moderate_app = typer.Typer(no_args_is_help=True, help="Take entries off the board, with a reason for their team.")

OfTeam = Annotated[str, typer.Option("--of-team", help="The team's name (maintainers).")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept for good.")]
Kind = Literal["per_day", "total", "at_once"]
Number = Annotated[str, typer.Option(metavar="N|none", help="So many, or none for no limit; left out, it stays.")]


@quota_app.command("show")
def quota_show(
    benchmark: Benchmark = "blocks", of_team: OfTeam = "", url: Url = "", token: Token = "", as_json: Json = False
) -> None:
    """What your team may still submit today, in all and at once."""
    from frontend.commands import moderating
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        moderating.quota(session, benchmark=benchmark, of_team=of_team, as_json=as_json)


@quota_app.command("limit")
def quota_limit(
    benchmark: Benchmark = "blocks",
    per_day: Number = "",
    total: Number = "",
    at_once: Number = "",
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Say how much every team may submit to a benchmark. For maintainers."""
    from frontend.commands import moderating
    from frontend.commands.session import Session

    changes = moderating.limits_of({"per_day": per_day, "total": total, "at_once": at_once})
    session = Session(url=url, token=token)
    with session.errors():
        moderating.change_limits(session, benchmark=benchmark, changes=changes, as_json=as_json)


@quota_app.command("grant")
def quota_grant(
    of_team: Annotated[str, typer.Option("--of-team", help="The team's name.")],
    reason: Reason,
    extra: Annotated[int, typer.Option("--extra", min=1, help="How many more.")] = 1,
    kind: Annotated[Kind, typer.Option("--kind", help="Which quota.")] = "per_day",
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="Until when; left out, for good.")] = "",
    benchmark: Benchmark = "blocks",
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Grant a team more than the limits say. For maintainers."""
    from frontend.commands import moderating
    from frontend.commands.session import Session

    wish = {"team": of_team, "benchmark": benchmark, "kind": kind, "extra": extra, "reason": reason}
    if until:
        wish["expires_at"] = moderating.moment_of(until)
    session = Session(url=url, token=token)
    with session.errors():
        moderating.grant(session, wish=wish, as_json=as_json)


@quota_app.command("grants")
def quota_grants(
    benchmark: Annotated[str, typer.Option("--benchmark", help="Of one benchmark.")] = "",
    of_team: OfTeam = "",
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """What was granted, newest first. For maintainers."""
    from frontend.commands import moderating
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        moderating.grants(session, benchmark=benchmark, of_team=of_team, as_json=as_json)


@quota_app.command("revoke")
def quota_revoke(
    grant: Annotated[str, typer.Argument(metavar="ID", help="The grant's id, as `gsi quota grants` shows it.")],
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """End a grant now. For maintainers."""
    from frontend.commands import moderating
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        moderating.revoke(session, grant_id=grant, as_json=as_json)


def _moderate(verb: str, submission: str, reason: str, url: str, token: str, as_json: bool) -> None:
    from frontend.commands import reading
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        reading.act(session, submission=submission, verb=verb, as_json=as_json, body={"reason": reason})


@moderate_app.command("hide")
def hide(submission: Id, reason: Reason, url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Take a published entry off the board until it is shown again."""
    _moderate("hide", submission, reason, url, token, as_json)


@moderate_app.command("show")
def show(submission: Id, reason: Reason, url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Put an entry back on the board."""
    _moderate("show", submission, reason, url, token, as_json)


@moderate_app.command("disqualify")
def disqualify(submission: Id, reason: Reason, url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Say that a result does not count."""
    _moderate("disqualify", submission, reason, url, token, as_json)


@moderate_app.command("reinstate")
def reinstate(submission: Id, reason: Reason, url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Let a disqualified result count again; its team decides whether to publish it."""
    _moderate("reinstate", submission, reason, url, token, as_json)
