"""Teams, their members and invitations: members submit, owners manage, and no team is ever without an owner."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection

from server.errors import ConflictError, ForbiddenError, NotFoundError, TooManyError
from server.settings import Settings
from server.teams import secrets, store
from server.teams.model import Caller, Invitation, Offer, Team, TeamRole

_MOST_OPEN_INVITATIONS = 50


class Invited(NamedTuple):
    """An invitation and its code, to be shown once."""

    invitation: Invitation
    code: str


def make(conn: Connection, settings: Settings, caller: Caller, *, name: str) -> Team:
    """A new team, owned by the caller.

    Raises ConflictError for a name that is taken, TooManyError when the user has made as many teams as one may:
    quotas belong to teams, and nobody should get more of them by making more teams.
    """
    _not_by_a_teams_token(caller)
    most = settings.teams_of_a_user
    if store.teams_made_by(conn, caller.user.id) >= most:
        raise TooManyError(
            f"You have made {most} teams, which is the most that one user may.",
            remedy="Use one of your teams, or be invited to another.",
        )
    made = store.add_team(conn, name=name, created_by=caller.user.id)
    if made is None:
        raise _name_taken(name)
    store.add_member(conn, made.id, caller.user.id, role="owner")
    return made


def visible(conn: Connection, caller: Caller, team_id: UUID) -> tuple[Team, TeamRole | None]:
    """A team of the caller's, with what they are in it; a maintainer sees every team.

    Raises NotFoundError for all others, in the same words as for one that does not exist.
    """
    role = store.role_of(conn, team_id, caller.user.id)
    of_another_team = not caller.by_session and caller.team_id not in (None, team_id)
    found = store.get_team(conn, team_id)
    if found is None or of_another_team or (role is None and not caller.is_maintainer):
        raise NotFoundError("There is no such team, or it is not yours.")
    return found, role


def owned(conn: Connection, caller: Caller, team_id: UUID) -> Team:
    """A team that the caller owns. Raises NotFoundError, ForbiddenError for its other members."""
    found, role = visible(conn, caller, team_id)
    if role != "owner":
        raise ForbiddenError("Only the team's owners may do this.", remedy="Ask an owner of the team.")
    return found


def _held(conn: Connection, caller: Caller, team_id: UUID) -> Team:
    """A team that the caller owns and nobody else changes until the transaction ends."""
    store.lock_team(conn, team_id)
    return owned(conn, caller, team_id)


def rename(conn: Connection, caller: Caller, team_id: UUID, *, name: str) -> Team:
    """Give a team another name. Raises ConflictError for one that is taken."""
    team = _held(conn, caller, team_id)
    if not store.rename_team(conn, team.id, name=name):
        raise _name_taken(name)
    return Team(id=team.id, name=name)


def change_role(conn: Connection, caller: Caller, team_id: UUID, user_id: UUID, *, role: TeamRole) -> None:
    """Make a member an owner, or the reverse. Raises ConflictError when no owner would be left."""
    _held(conn, caller, team_id)
    _must_be_member(conn, team_id, user_id)
    if role != "owner":
        _must_leave_an_owner(conn, team_id, user_id)
    store.set_role(conn, team_id, user_id, role=role)


def remove(conn: Connection, caller: Caller, team_id: UUID, user_id: UUID) -> None:
    """Put a member out, which owners may; or leave, which everybody may but the last owner (ConflictError).

    The tokens that the user has in the team end with it.
    """
    store.lock_team(conn, team_id)
    visible(conn, caller, team_id)
    if user_id != caller.user.id:
        _held(conn, caller, team_id)
    _must_be_member(conn, team_id, user_id)
    _must_leave_an_owner(conn, team_id, user_id)
    store.remove_member(conn, team_id, user_id)


def invite(conn: Connection, settings: Settings, caller: Caller, team_id: UUID, *, role: TeamRole) -> Invited:
    """An invitation for one person. Raises TooManyError when many are open already."""
    team = _held(conn, caller, team_id)
    if store.open_invitations(conn, team.id) >= _MOST_OPEN_INVITATIONS:
        raise TooManyError(
            f"{_MOST_OPEN_INVITATIONS} invitations of your team are open.", remedy="Revoke those you do not need."
        )
    code = secrets.fresh(secrets.INVITATION_PREFIX)
    made = store.invite(
        conn,
        team.id,
        role=role,
        hashed=secrets.hashed(settings, code),
        invited_by=caller.user.id,
        lifetime=timedelta(days=settings.invitation_days),
    )
    return Invited(made, code)


def revoke_invitation(conn: Connection, caller: Caller, team_id: UUID, invitation_id: UUID) -> None:
    """End an invitation that nobody has accepted. Raises NotFoundError."""
    owned(conn, caller, team_id)
    if not store.revoke_invitation(conn, team_id, invitation_id):
        raise NotFoundError("There is no such open invitation.", remedy="Look at the list of invitations.")


def offered(conn: Connection, settings: Settings, code: str) -> Offer:
    """What an invitation offers. Raises NotFoundError when it is used, revoked, over or never was."""
    found = store.offer(conn, hashed=secrets.hashed(settings, code))
    if found is None:
        raise _no_invitation()
    return found


def accept(conn: Connection, settings: Settings, caller: Caller, code: str) -> Offer:
    """Join a team by its invitation, which is used up by it.

    Raises NotFoundError as `offered` does, also for the second of two who accept at once; ConflictError for a member,
    whose invitation stays open.
    """
    _not_by_a_teams_token(caller)
    found = offered(conn, settings, code)
    if not store.accept(conn, hashed=secrets.hashed(settings, code), user_id=caller.user.id):
        raise _no_invitation()
    if not store.add_member(conn, found.team_id, caller.user.id, role=found.role):
        raise ConflictError(f"You are in the team {found.team_name} already.", remedy="Pass the invitation on.")
    return found


def _not_by_a_teams_token(caller: Caller) -> None:
    """A token speaks for its user within one team, and for nothing beyond it."""
    if not caller.by_session and caller.team_id is not None:
        raise ForbiddenError("A team's token does not reach beyond its team.", remedy="Do this on the website.")


def _must_be_member(conn: Connection, team_id: UUID, user_id: UUID) -> None:
    if store.role_of(conn, team_id, user_id) is None:
        raise NotFoundError("There is no such member.", remedy="Look at the list of members.")


def _must_leave_an_owner(conn: Connection, team_id: UUID, user_id: UUID) -> None:
    if store.role_of(conn, team_id, user_id) == "owner" and not store.other_owners(conn, team_id, user_id):
        raise ConflictError("This is the team's last owner.", remedy="Make another member an owner first.")


def _name_taken(name: str) -> ConflictError:
    return ConflictError(f"There is a team named {name} already.", remedy="Choose another name.")


def _no_invitation() -> NotFoundError:
    return NotFoundError(
        "This invitation is used, revoked, over, or never was.", remedy="Ask the team's owner for a new one."
    )
