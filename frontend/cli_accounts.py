"""`gsi tokens` and `gsi team`: only declarations, as in frontend.cli."""

from enum import StrEnum
from typing import Annotated, Literal

import typer

from frontend.options import Json, Token, Url

Role = Literal["owner", "member"]


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"


tokens_app = typer.Typer(no_args_is_help=True, help="Your API tokens. Managing needs a token of the scope admin.")
team_app = typer.Typer(no_args_is_help=True, help="Your team. Managing needs an owner's token of the scope admin.")

MemberId = Annotated[str, typer.Argument(metavar="MEMBER", help="The member's id, as `gsi team show` prints it.")]


@tokens_app.command("list")
def tokens_list(url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Your tokens: by what they begin, what they may, until when, when last used."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.list_tokens(session, as_json=as_json)


@tokens_app.command("create")
def tokens_create(
    name: Annotated[str, typer.Option("--name", help="What it is for.")],
    scopes: Annotated[list[Scope], typer.Option("--scope", help="What it may: read, submit, admin. Repeat it.")],
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="How long it is good. Else as long as may be.")
    ] = None,
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Make a token and print it, this once."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.make_token(session, name=name, scopes=scopes, days=days, as_json=as_json)


@tokens_app.command("revoke")
def tokens_revoke(
    which: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id, or what it begins with.")],
    url: Url = "",
    token: Token = "",
) -> None:
    """End a token at once."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.revoke_token(session, token=which.removesuffix("…"))


@team_app.command("show")
def team_show(url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """Your team and who is in it."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.show_team(session, as_json=as_json)


@team_app.command("rename")
def team_rename(name: Annotated[str, typer.Argument(help="The new name.")], url: Url = "", token: Token = "") -> None:
    """Give the team another name."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.rename_team(session, name=name)


@team_app.command("invite")
def team_invite(
    role: Annotated[Role, typer.Option("--as", help="What the invited shall be.")] = "member",
    url: Url = "",
    token: Token = "",
    as_json: Json = False,
) -> None:
    """Make an invitation for one person and print its link, this once."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.invite(session, role=role, as_json=as_json)


@team_app.command("invitations")
def team_invitations(url: Url = "", token: Token = "", as_json: Json = False) -> None:
    """The team's invitations, and what became of them."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.list_invitations(session, as_json=as_json)


@team_app.command("revoke")
def team_revoke(
    invitation: Annotated[str, typer.Argument(help="Its id, as `gsi team invitations` prints it.")],
    url: Url = "",
    token: Token = "",
) -> None:
    """End an invitation that nobody has accepted."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.revoke_invitation(session, invitation=invitation)


@team_app.command("role")
def team_role(
    member: MemberId,
    role: Annotated[Role, typer.Argument(help="owner or member.")],
    url: Url = "",
    token: Token = "",
) -> None:
    """Make a member an owner, or an owner a member."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.set_role(session, member=member, role=role)


@team_app.command("remove")
def team_remove(member: MemberId, url: Url = "", token: Token = "") -> None:
    """Put a member out; their tokens for the team end."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    session = Session(url=url, token=token)
    with session.errors():
        accounts.remove(session, member=member)


@team_app.command("leave")
def team_leave(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False, url: Url = "", token: Token = ""
) -> None:
    """Leave the team; the last owner cannot."""
    from frontend.commands import accounts
    from frontend.commands.session import Session

    if not yes:
        typer.confirm("Leave the team? Your tokens for it end.", abort=True)
    session = Session(url=url, token=token)
    with session.errors():
        accounts.remove(session, member="")
