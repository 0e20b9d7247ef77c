"""Who the caller is, teams, members and invitations over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from server.http.dependencies import ServicesOf, UnitOf
from server.http.paging import ByTime, Moment
from server.http.routing import ApiRouter
from server.teams import membership, service, store, tokens
from server.teams.callers import ADMIN, READ, UserOf
from server.teams.model import Caller, Membership
from server.teams.schemas import (
    ActingIn,
    CodeIn,
    InvitationOut,
    InvitationsOut,
    InvitedOut,
    InviteIn,
    LoginIn,
    LoginOut,
    MemberOut,
    MembershipOut,
    MembersOut,
    MeOut,
    OfferOut,
    RoleIn,
    TeamIn,
    TeamOut,
)

router = ApiRouter(tags=["teams"])
_NEVER_KEPT = "no-store"


@router.post("/development/login")
def login(body: LoginIn, unit: UnitOf, services: ServicesOf, response: Response) -> LoginOut:
    """Sign in by name; only on services whose settings allow development logins."""
    response.headers["cache-control"] = "no-store"  # the token is kept nowhere but with who asked for it
    done = service.development_login(unit.conn, services.settings, team=body.team)
    team = TeamOut(id=done.team.id, name=done.team.name) if done.team else None
    return LoginOut(token=done.token, team=team)


@router.get("/me", dependencies=[READ])
def who_am_i(caller: UserOf, unit: UnitOf, response: Response) -> MeOut:
    """Who you are, for whom you act, and your teams."""
    response.headers["cache-control"] = _NEVER_KEPT
    teams = [one for one in store.teams_of(unit.conn, caller.user.id) if caller.by_session or one.id == caller.team_id]
    return MeOut(
        id=caller.user.id,
        name=caller.user.name,
        email=caller.user.email,
        role=caller.role,
        team=_acting(caller),
        scopes=sorted(caller.scopes),
        expires_at=caller.expires_at,
        may_maintain=caller.may_maintain,
        teams=[MembershipOut.model_validate(one) for one in teams],
    )


@router.put("/me/acting", status_code=204, dependencies=[ADMIN])
def act_for(body: ActingIn, caller: UserOf, unit: UnitOf) -> None:
    """Choose for whom this session of the website acts."""
    tokens.act_for(unit.conn, caller, team_id=body.team, maintainer=body.maintainer)


@router.post("/teams", status_code=201, dependencies=[ADMIN])
def make_team(body: TeamIn, caller: UserOf, unit: UnitOf, services: ServicesOf, response: Response) -> MembershipOut:
    """Make a team; you are its owner, and act for it from now on if this is a session."""
    made = membership.make(unit.conn, services.settings, caller, name=body.name)
    if caller.by_session:
        tokens.act_for(unit.conn, caller, team_id=made.id, maintainer=False)
    response.headers["location"] = f"/api/v1/teams/{made.id}"
    return MembershipOut(id=made.id, name=made.name, role="owner")


@router.get("/teams/{team_id}", dependencies=[READ])
def get_team(team_id: UUID, caller: UserOf, unit: UnitOf) -> TeamOut:
    """A team of yours."""
    found, _ = membership.visible(unit.conn, caller, team_id)
    return TeamOut.model_validate(found)


@router.patch("/teams/{team_id}", dependencies=[ADMIN])
def rename_team(team_id: UUID, body: TeamIn, caller: UserOf, unit: UnitOf) -> TeamOut:
    """Give a team another name (owners)."""
    return TeamOut.model_validate(membership.rename(unit.conn, caller, team_id, name=body.name))


@router.get("/teams/{team_id}/members", dependencies=[READ])
def list_members(team_id: UUID, caller: UserOf, unit: UnitOf, page: ByTime) -> MembersOut:
    """The members of a team of yours, who joined first first."""
    team, _ = membership.visible(unit.conn, caller, team_id)
    found = store.members(unit.conn, team.id, limit=page.one_more, after=page.after)
    shown = page.of(found, key=lambda one: Moment(one.joined_at, one.user_id))
    return MembersOut(members=[MemberOut.model_validate(one) for one in shown.rows], next_cursor=shown.next_cursor)


@router.patch("/teams/{team_id}/members/{user_id}", status_code=204, dependencies=[ADMIN])
def change_role(team_id: UUID, user_id: UUID, body: RoleIn, caller: UserOf, unit: UnitOf) -> None:
    """Make a member an owner, or an owner a member (owners)."""
    membership.change_role(unit.conn, caller, team_id, user_id, role=body.role)


@router.delete("/teams/{team_id}/members/{user_id}", status_code=204, dependencies=[ADMIN])
def remove_member(team_id: UUID, user_id: UUID, caller: UserOf, unit: UnitOf) -> None:
    """Put a member out (owners), or leave. Their tokens in the team end; the last owner cannot leave."""
    membership.remove(unit.conn, caller, team_id, user_id)


@router.post("/teams/{team_id}/invitations", status_code=201, dependencies=[ADMIN])
def invite(
    team_id: UUID, body: InviteIn, caller: UserOf, unit: UnitOf, services: ServicesOf, response: Response
) -> InvitedOut:
    """Invite one person (owners): pass the link or the code on; it is shown this once."""
    made = membership.invite(unit.conn, services.settings, caller, team_id, role=body.role)
    response.headers["cache-control"] = _NEVER_KEPT
    told = InvitationOut.model_validate(made.invitation).model_dump()
    # Behind the # nothing is sent to any server, and so no log keeps the code.
    return InvitedOut(**told, code=made.code, link=f"{services.settings.public_url}/account#invitation={made.code}")


@router.get("/teams/{team_id}/invitations", dependencies=[READ])
def list_invitations(team_id: UUID, caller: UserOf, unit: UnitOf, page: ByTime) -> InvitationsOut:
    """The invitations of a team (owners), newest first."""
    team = membership.owned(unit.conn, caller, team_id)
    found = store.invitations(unit.conn, team.id, limit=page.one_more, after=page.after)
    shown = page.of(found, key=lambda one: Moment(one.created_at, one.id))
    return InvitationsOut(
        invitations=[InvitationOut.model_validate(one) for one in shown.rows], next_cursor=shown.next_cursor
    )


@router.delete("/teams/{team_id}/invitations/{invitation_id}", status_code=204, dependencies=[ADMIN])
def revoke_invitation(team_id: UUID, invitation_id: UUID, caller: UserOf, unit: UnitOf) -> None:
    """End an invitation that nobody has accepted (owners)."""
    membership.revoke_invitation(unit.conn, caller, team_id, invitation_id)


@router.post("/invitations/preview", dependencies=[READ])
def preview_invitation(body: CodeIn, caller: UserOf, unit: UnitOf, services: ServicesOf) -> OfferOut:
    """What an invitation offers, to whoever holds its code and is signed in. Nothing is changed."""
    return OfferOut.model_validate(membership.offered(unit.conn, services.settings, body.code))


@router.post("/invitations/accept", dependencies=[ADMIN])
def accept_invitation(body: CodeIn, caller: UserOf, unit: UnitOf, services: ServicesOf) -> MembershipOut:
    """Join a team. The invitation is used up; a session acts for the team from now on."""
    found = membership.accept(unit.conn, services.settings, caller, body.code)
    if caller.by_session:
        tokens.act_for(unit.conn, caller, team_id=found.team_id, maintainer=False)
    return MembershipOut(id=found.team_id, name=found.team_name, role=found.role)


def _acting(caller: Caller) -> MembershipOut | None:
    if caller.team_id is None or caller.team_name is None or caller.team_role is None:
        return None
    return MembershipOut.model_validate(Membership(id=caller.team_id, name=caller.team_name, role=caller.team_role))
