"""The participants' part of the `gsi` command, with the maintainers' commands beside it (frontend.cli_*).

Only declarations: what a command does is in frontend.commands and is imported when it runs, so that help is instant.
"""

from pathlib import Path
from typing import Annotated

import typer

from frontend.cli_accounts import team_app, tokens_app
from frontend.cli_maintaining import audit, baseline_app, explain, runs_app
from frontend.cli_moderating import moderate_app, quota_app
from frontend.cli_noticing import notices_app
from frontend.options import Benchmark, Id, Json, Token, Url

Team = Annotated[str, typer.Option("--team", help="Your team's name; logs in by itself on a development service.")]
Zip = Annotated[
    Path,
    typer.Argument(
        metavar="ZIP", exists=True, dir_okay=False, readable=True, help="The zip with one edited image for each sample."
    ),
]

TAKING_PART = "Taking part"
MAINTAINING = "Maintaining"


def register(app: typer.Typer) -> None:
    """Add these commands to the `gsi` command."""
    for name, command in (
        ("check", check),
        ("submit", submit),
        ("status", status),
        ("submissions", submissions),
        ("publish", publish),
        ("withdraw", withdraw),
        ("leaderboard", leaderboard),
        ("login", login),
    ):
        app.command(name, rich_help_panel=TAKING_PART)(command)
    app.add_typer(team_app, name="team", rich_help_panel=TAKING_PART)
    app.add_typer(tokens_app, name="tokens", rich_help_panel=TAKING_PART)
    app.add_typer(notices_app, name="notices", rich_help_panel=TAKING_PART)
    app.add_typer(quota_app, name="quota", rich_help_panel=TAKING_PART)
    app.add_typer(moderate_app, name="moderate", rich_help_panel=MAINTAINING)
    app.command("explain", rich_help_panel=MAINTAINING)(explain)
    app.command("audit", rich_help_panel=MAINTAINING)(audit)
    app.add_typer(runs_app, name="runs", rich_help_panel=MAINTAINING)
    app.add_typer(baseline_app, name="baseline", rich_help_panel=MAINTAINING)


def check(
    archive: Zip,
    benchmark: Benchmark = "blocks",
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest", exists=True, dir_okay=False, help="The benchmark.json to check against, to work offline."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=256, help="Images decoded at a time. Else all processors.")
    ] = None,
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Check a zip on this machine, with the same code as the service. Exit code 65: it would be refused."""
    from frontend.commands import checking
    from frontend.commands.session import Session

    session = Session(url=url)
    with session.errors():
        checking.check(
            session, archive=archive, benchmark=benchmark, manifest=manifest, threads=threads, as_json=as_json
        )


def submit(
    archive: Zip,
    model: Annotated[str, typer.Option("--model", help="The model's name as it shall stand on the board.")],
    benchmark: Benchmark = "blocks",
    team: Team = "",
    organization: Annotated[str, typer.Option("--organization", help="Who made the model.")] = "",
    description: Annotated[str, typer.Option("--description", help="A sentence or two for readers.")] = "",
    link: Annotated[str, typer.Option("--link", help="Web address of a paper or a repository.")] = "",
    checks: Annotated[bool, typer.Option("--check/--no-check", help="Check the zip here before the upload.")] = True,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until it is scored and show the result.")] = False,
    publish: Annotated[bool, typer.Option("--publish", help="Wait, then publish on the leaderboard.")] = False,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=8, help="How many parts to send at once.")] = 3,
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Submit a zip: it is checked, uploaded and scored. It stays private until you publish it.

    An upload that was stopped, by whatever, goes on where it was when you run the same command again.
    """
    from frontend.commands import submitting
    from frontend.commands.session import Session

    session = Session(url=url, token=token, team=team)
    with session.errors():
        submitting.submit(
            session,
            archive=archive,
            benchmark=benchmark,
            model=model,
            organization=organization,
            description=description,
            url=link,
            checks=checks,
            wait=wait,
            publish=publish,
            parallel=parallel,
            as_json=as_json,
        )


def status(
    submission: Id,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it until it is scored or refused.")] = False,
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Where a submission stands: progress, what was wrong with the zip, or the scores."""
    from frontend.commands import submitting
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        submitting.status(session, submission=submission, watch=watch, as_json=as_json)


def submissions(url: Url = "", token: Token = "", team: Team = "", as_json: Json = False) -> None:
    """Your team's submissions, newest first."""
    from frontend.commands import reading
    from frontend.commands.session import Session

    session = Session(url=url, token=token, team=team)
    with session.errors():
        reading.submissions(session, as_json=as_json)


def publish(
    submission: Id,
    undo: Annotated[bool, typer.Option("--undo", help="Take it off the leaderboard, or an embargo back.")] = False,
    embargo: Annotated[
        str, typer.Option("--embargo", metavar="DATE", help="Publish by itself on that day (2027-01-31, UTC) or time.")
    ] = "",
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Put a scored submission on the leaderboard, now or when its embargo ends."""
    from frontend.commands import moderating, reading
    from frontend.commands.session import Session

    if undo and embargo:
        raise typer.BadParameter("--undo and --embargo do not go together")
    body = {"embargo_until": moderating.moment_of(embargo)} if embargo else None
    session = Session(url=url, token=token)
    with session.errors():
        verb = "unpublish" if undo else "publish"
        reading.act(session, submission=submission, verb=verb, as_json=as_json, body=body)


def withdraw(
    submission: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Withdraw a submission for good."""
    from frontend.commands import reading
    from frontend.commands.session import Session

    if not yes:
        typer.confirm("Withdraw this submission? It cannot be brought back.", abort=True)
    session = Session(url=url, token=token)
    with session.errors():
        reading.act(session, submission=submission, verb="withdraw", as_json=as_json)


def leaderboard(
    benchmark: Annotated[
        str, typer.Option("--benchmark", help="gsi-bench, blocks, omnispatial or sat-real. Default: all.")
    ] = "",
    subset: Annotated[str, typer.Option("--subset", help="One subset instead of the mean of all.")] = "",
    operation: Annotated[str, typer.Option("--operation", help="One operation, such as move.")] = "",
    protocol: Annotated[
        str, typer.Option("--protocol", help="One protocol, such as gsi-official-1, instead of the ranking one.")
    ] = "",
    url: Url = "",
    as_json: Json = False,
) -> None:
    """Print the leaderboard."""
    from frontend.commands import reading
    from frontend.commands.session import Session

    if not benchmark and (subset or operation or protocol):
        raise typer.BadParameter("name the benchmark that the subset, operation or protocol belongs to")
    session = Session(url=url)
    with session.errors():
        reading.leaderboard(
            session, benchmark=benchmark, subset=subset, operation=operation, protocol=protocol, as_json=as_json
        )


def login(
    team: Annotated[str, typer.Option("--team", help="Your team's name (development login).")] = "",
    maintainer: Annotated[bool, typer.Option("--maintainer", help="As a maintainer (development login).")] = False,
    token: Annotated[str, typer.Option("--token", help="Save this token, if the service knows it.")] = "",
    url: Url = "",
) -> None:
    """Log in and remember it for this service (in ~/.config/gsi, readable by you only).

    Without options: opens the account page, where you make a token, and asks for it.
    """
    from frontend.commands import reading
    from frontend.commands.session import Session

    session = Session(url=url)
    with session.errors():
        if not (team or maintainer or token):
            token = reading.asked_for_token(session)
        reading.login(session, team=team, maintainer=maintainer, token=token)
