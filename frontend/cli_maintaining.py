"""The maintainers' commands baseline, runs, explain and audit; declarations only, as in frontend.cli."""

from typing import Annotated, Literal

import typer

from frontend.options import Id, Json, Token, Url

BaselineId = Annotated[str, typer.Argument(metavar="ID", help="The baseline's id, as `gsi baseline list` shows it.")]
Scores = Annotated[
    list[str] | None,
    typer.Option("--score", metavar="SUBSET.DIMENSION=VALUE", help="For example gsi-real.ic=38.78. Repeat it."),
]
Access = Literal["open", "closed"]

runs_app = typer.Typer(no_args_is_help=True, help="Runs that the service could not finish. For maintainers.")
baseline_app = typer.Typer(no_args_is_help=True, help="Curated baselines: numbers typed in from a named source.")


@baseline_app.command("add")
def baseline_add(
    model: Annotated[str, typer.Option("--model", help="The model's name.")],
    vendor: Annotated[str, typer.Option("--vendor", help="Who offers it.")],
    source_url: Annotated[str, typer.Option("--source-url", help="Where the numbers stand.")],
    access_date: Annotated[str, typer.Option("--access-date", help="When the model or source was used: 2026-11-23.")],
    scores: Scores = None,
    benchmark: Annotated[str, typer.Option("--benchmark", help="The board it belongs on.")] = "gsi-bench",
    access: Annotated[Access, typer.Option("--access", help="Open or closed weights.")] = "closed",
    size: Annotated[str, typer.Option("--size", help="The model's size as the source states it, such as 7B.")] = "",
    source_note: Annotated[str, typer.Option("--source-note", help="Table, page, settings.")] = "",
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Add a curated baseline. The act is kept in the audit log."""
    from frontend.commands import curating
    from frontend.commands.session import Session

    found = curating.scores_of(scores or [])
    members = {
        "benchmark": benchmark,
        "model": model,
        "organization": vendor,
        "access": access,
        "size": size,
        "access_date": access_date,
        "source_url": source_url,
        "source_note": source_note,
        "scores": found,
    }
    entry = {key: value for key, value in members.items() if value}
    session = Session(url=url, token=token)
    with session.errors():
        curating.add(session, entry=entry, as_json=as_json)


@baseline_app.command("edit")
def baseline_edit(
    baseline: BaselineId,
    model: Annotated[str, typer.Option("--model", help="The model's name.")] = "",
    vendor: Annotated[str, typer.Option("--vendor", help="Who offers it.")] = "",
    access: Annotated[Access | None, typer.Option("--access", help="Open or closed weights.")] = None,
    size: Annotated[str, typer.Option("--size", help="The model's size as the source states it, such as 7B.")] = "",
    access_date: Annotated[str, typer.Option("--access-date", help="When it was used: 2026-11-23.")] = "",
    source_url: Annotated[str, typer.Option("--source-url", help="Where the numbers stand.")] = "",
    source_note: Annotated[str, typer.Option("--source-note", help="Table, page, settings.")] = "",
    scores: Scores = None,
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Change a curated baseline; what is not named stays as it is.

    --score SUBSET.DIMENSION=none takes a number away.
    """
    from frontend.commands import curating
    from frontend.commands.session import Session

    members = {
        "model": model,
        "organization": vendor,
        "access": access,
        "size": size,
        "access_date": access_date,
        "source_url": source_url,
        "source_note": source_note,
        "scores": curating.scores_of(scores or [], removing=True),
    }
    changes = {key: value for key, value in members.items() if value}
    session = Session(url=url, token=token)
    with session.errors():
        curating.edit(session, baseline=baseline, changes=changes, as_json=as_json)


@baseline_app.command("retire")
def baseline_retire(
    baseline: BaselineId,
    reason: Annotated[str, typer.Option("--reason", help="Why it leaves the board; kept for good.")],
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Take a curated baseline off the board. It stays on record with the reason."""
    from frontend.commands import curating
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        curating.retire(session, baseline=baseline, reason=reason, as_json=as_json)


@baseline_app.command("list")
def baseline_list(url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """All curated baselines, the retired ones too."""
    from frontend.commands import curating
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        curating.list_all(session, as_json=as_json)


def explain(
    submission: Id,
    subset: Annotated[str, typer.Option("--subset", help="One subset instead of all.")] = "",
    sample: Annotated[str, typer.Option("--sample", help="Every quantity behind one sample's scores.")] = "",
    protocol: Annotated[
        str, typer.Option("--protocol", help="One protocol, such as gsi-official-1, instead of the ranking one.")
    ] = "",
    suspicious: Annotated[
        bool, typer.Option("--suspicious", help="Only samples whose judge praised what does not look alike.")
    ] = False,
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Why a submission's numbers are what they are, sample by sample. For maintainers; kept in the audit log."""
    from frontend.commands import explaining
    from frontend.commands.session import Session

    wish = explaining.Wish(
        submission=submission, subset=subset, sample=sample, protocol=protocol, suspicious=suspicious
    )
    session = Session(url=url, token=token)
    with session.errors():
        explaining.explain(session, wish, as_json=as_json)


@runs_app.command("dead")
def runs_dead(url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Submissions that failed on the service's side, newest first, and how the last attempt ended."""
    from frontend.commands import curating
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        curating.dead(session, as_json=as_json)


@runs_app.command("retry")
def runs_retry(submission: Id, url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Try a failed submission again; what was measured is not measured again. Kept in the audit log."""
    from frontend.commands import reading
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        reading.act(session, submission=submission, verb="retry", as_json=as_json)


def audit(
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many of the latest acts.")] = 50,
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """What maintainers did, newest first. For maintainers."""
    from frontend.commands import curating
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        curating.audit(session, limit=limit, as_json=as_json)
