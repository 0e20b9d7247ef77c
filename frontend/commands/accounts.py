"""tokens, team: what one may manage of one's account from the command line, with a token of the scope admin."""

from collections.abc import Iterable
from dataclasses import replace

from rich.markup import escape

from frontend.accounts import Accounts, Me, Membership
from frontend.commands import tables
from frontend.commands.session import Session
from frontend.errors import ClientError
from frontend.present import clock, day


def list_tokens(session: Session, *, as_json: bool) -> None:
    """One's own tokens, newest first."""
    with session.member() as client:
        found = Accounts(client).tokens()
    if as_json:
        session.json(found)
        return
    table = tables.empty("name", "begins with", "may", "for", "good until", "last used", "id")
    for one in found:
        good = "revoked" if one.revoked_at else day(one.expires_at)
        used = clock(one.used_at) if one.used_at else "never"
        cells = (one.name, f"{one.prefix}…", " ".join(one.scopes), one.team or "the service", good, used, one.id)
        table.add_row(*map(escape, cells))
    tables.put(session.out, table)


def make_token(session: Session, *, name: str, scopes: Iterable[str], days: int | None, as_json: bool) -> None:
    """Make a token. Alone on stdout, so that it can be piped where it is needed."""
    with session.member() as client:
        made = Accounts(client).make_token(name=name, scopes=scopes, days=days)
    if as_json:
        session.json(made)
        return
    session.err.print(f"Good until {day(made.expires_at)}; it is not shown again.")
    session.out.print(escape(made.secret), soft_wrap=True)


def revoke_token(session: Session, *, token: str) -> None:
    """End a token, by its id or by what it begins with."""
    with session.member() as client:
        accounts = Accounts(client)
        found = [one for one in accounts.tokens() if not one.revoked_at and token in (one.id, one.prefix)]
        if len(found) != 1:
            raise _choice("token", token, "gsi tokens list")
        accounts.revoke_token(found[0].id)
    session.out.print(f"Revoked {escape(found[0].name)} ({escape(found[0].prefix)}…).")


def show_team(session: Session, *, as_json: bool) -> None:
    """The team that the token is for, and who is in it."""
    with session.member() as client:
        accounts = Accounts(client)
        team = _team(accounts.me())
        members = accounts.members(team.id)
    if as_json:
        session.json({"id": team.id, "name": team.name, "role": team.role, "members": [vars(one) for one in members]})
        return
    table = tables.empty("member", "role", "id", title=f"{team.name} (you are {team.role})")
    for one in members:
        table.add_row(escape(one.name), one.role, one.id)
    tables.put(session.out, table)


def rename_team(session: Session, *, name: str) -> None:
    """Give the team another name."""
    with session.member() as client:
        accounts = Accounts(client)
        team = _team(accounts.me())
        accounts.rename_team(team.id, name)
    session.renamed(name)
    session.out.print(f"{escape(team.name)} is now {escape(name)}.")


def invite(session: Session, *, role: str, as_json: bool) -> None:
    """Invite one person; the link is alone on stdout."""
    with session.member() as client:
        accounts = Accounts(client)
        made = accounts.invite(_team(accounts.me()).id, role=role)
    if as_json:
        session.json(made)
        return
    session.err.print(f"For one person, good until {clock(made.expires_at)}; it is not shown again.")
    session.out.print(escape(made.link), soft_wrap=True)


def list_invitations(session: Session, *, as_json: bool) -> None:
    """The team's invitations, newest first."""
    with session.member() as client:
        accounts = Accounts(client)
        found = accounts.invitations(_team(accounts.me()).id)
    if as_json:
        session.json([replace(one, code="", link="") for one in found])
        return
    table = tables.empty("as", "state", "good until", "accepted by", "id")
    for one in found:
        table.add_row(one.role, one.state, clock(one.expires_at), escape(one.accepted_by), one.id)
    tables.put(session.out, table)


def revoke_invitation(session: Session, *, invitation: str) -> None:
    """End an open invitation."""
    with session.member() as client:
        accounts = Accounts(client)
        accounts.revoke_invitation(_team(accounts.me()).id, invitation)
    session.out.print("The invitation is revoked.")


def set_role(session: Session, *, member: str, role: str) -> None:
    """Make a member an owner, or the reverse."""
    with session.member() as client:
        accounts = Accounts(client)
        accounts.set_role(_team(accounts.me()).id, member, role)
    session.out.print(f"Done: {escape(member)} is {role}.")


def remove(session: Session, *, member: str) -> None:
    """Put a member out; an empty `member` is oneself, who leaves."""
    with session.member() as client:
        accounts = Accounts(client)
        me = accounts.me()
        accounts.remove_member(_team(me).id, member or me.id)
    session.out.print("You have left the team; this token is over." if member in ("", me.id) else "Done.")


def _team(me: Me) -> Membership:
    if me.team is None:
        raise ClientError(
            code="no_team",
            title="This token is for no team",
            remedy="Use a token that was made for the team.",
            status=403,
        )
    return me.team


def _choice(kind: str, wanted: str, where: str) -> ClientError:
    return ClientError(
        code=f"no_such_{kind}", title=f"There is no {kind} {wanted!r} of yours", remedy=f"See: {where}", status=404
    )
