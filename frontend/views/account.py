"""A user's own page: for whom they act, teams, members, invitations, tokens."""

from frontend.accounts import Accounts, Invitation, Me, Member
from frontend.render import render
from frontend.team_resources import Delivery, Target
from frontend.views.page import Connect, Page, Visit
from frontend.views.signing_in import known, ways

_MOST_UNDELIVERED = 10


def show(connect: Connect, visit: Visit) -> Page:
    """The account; a reader who is not signed in is told how to."""
    me, stale = known(connect, visit)
    body = _of(connect, visit, me) if me else render("account_signed_out.html", ways=ways(connect))
    return Page(title="Account", description="Your teams, invitations and API tokens.", body=body, forget=stale)


def _of(connect: Connect, visit: Visit, me: Me) -> str:
    members: tuple[Member, ...] = ()
    targets: tuple[Target, ...] = ()
    undelivered: tuple[Delivery, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    with connect(visit.token) as client:
        accounts = Accounts(client)
        if me.team:
            members = accounts.members(me.team.id)
            targets = client.targets()
            undelivered = client.deliveries(state="dead")[:_MOST_UNDELIVERED]
        if me.team and me.team.role == "owner":
            invitations = tuple(one for one in accounts.invitations(me.team.id) if one.state == "open")
        tokens = tuple(one for one in accounts.tokens() if not one.revoked_at)
    return render(
        "account.html",
        me=me,
        members=members,
        invitations=invitations,
        tokens=tokens,
        targets=targets,
        undelivered=undelivered,
    )
