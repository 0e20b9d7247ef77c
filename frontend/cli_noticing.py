"""The commands `gsi notices …`; declarations only, as in frontend.cli."""

from typing import Annotated

import typer

from frontend.options import Json, Token, Url

notices_app = typer.Typer(no_args_is_help=True, help="Be told by webhook or e-mail when a submission ends.")

TargetId = Annotated[str, typer.Argument(metavar="ID", help="The target's id, as `gsi notices list` shows it.")]


@notices_app.command("list")
def notices_list(url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Where your team is told."""
    from frontend.commands import noticing
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        noticing.targets(session, as_json=as_json)


@notices_app.command("webhook")
def notices_webhook(
    address: Annotated[str, typer.Argument(metavar="URL", help="Where to POST: https://…")],
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Tell a webhook. Its secret is shown once: it proves who sent a notice (Standard Webhooks)."""
    from frontend.commands import noticing
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        noticing.webhook(session, url=address, as_json=as_json)


@notices_app.command("email")
def notices_email(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Where to mail.")],
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Tell an e-mail address, once its owner has confirmed it."""
    from frontend.commands import noticing
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        noticing.email(session, address=address, as_json=as_json)


@notices_app.command("confirm")
def notices_confirm(
    target: TargetId,
    code: Annotated[str, typer.Argument(metavar="CODE", help="The code from the mail.")],
    url: Url = "",
    token: Token = "",
) -> None:
    """Confirm an e-mail address with the code that was mailed there."""
    from frontend.commands import noticing
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        noticing.confirm(session, target=target, code=code)


@notices_app.command("test")
def notices_test(target: TargetId, url: Url = "", token: Token = "") -> None:
    """Send a notice that tells nothing, to see that it arrives."""
    from frontend.commands import noticing
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        noticing.test(session, target=target)


@notices_app.command("remove")
def notices_remove(target: TargetId, url: Url = "", token: Token = "") -> None:
    """Send nothing there any more."""
    from frontend.commands import noticing
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        noticing.remove(session, target=target)


@notices_app.command("deliveries")
def notices_deliveries(
    dead: Annotated[bool, typer.Option("--dead", help="Only those that were given up.")] = False,
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """What was sent, newest first, and how it ended."""
    from frontend.commands import noticing
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        noticing.deliveries(session, dead=dead, as_json=as_json)


@notices_app.command("retry")
def notices_retry(
    delivery: Annotated[str, typer.Argument(metavar="ID", help="As `gsi notices deliveries` shows it.")],
    url: Url = "",
    token: Token = "",
) -> None:
    """Try a delivery that was given up anew."""
    from frontend.commands import noticing
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        noticing.retry(session, delivery=delivery)
