"""Teams, members and invitations in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import Connection

from server import names
from server.db.queries import Queries
from server.teams.model import Invitation, Member, Membership, Offer, Team, TeamRole

_QUERIES = Queries("teams")


@dataclass(frozen=True)
class _Count:
    number: int


@dataclass(frozen=True)
class _Role:
    role: TeamRole


def find_or_make_team(conn: Connection, *, name: str) -> Team:
    """The team of that name (case, width and spaces do not matter), made when there is none."""
    row = {"name": name, "key": names.key(name)}
    # Two first logins at once: the loser's insert sees the winner's row only in a new statement.
    found = _QUERIES.maybe(conn, "find_or_make_team", Team, **row)
    return found or _QUERIES.one(conn, "find_or_make_team", Team, **row)


def add_team(conn: Connection, *, name: str, created_by: UUID) -> Team | None:
    """A new team; None when the name is taken."""
    return _QUERIES.maybe(conn, "add", Team, name=name, key=names.key(name), created_by=created_by)


def find_team(conn: Connection, *, name: str) -> Team | None:
    """The team of that name, however it is spelled; None when there is none."""
    return _QUERIES.maybe(conn, "find_team", Team, key=names.key(name))


def get_team(conn: Connection, team_id: UUID) -> Team | None:
    """A team."""
    return _QUERIES.maybe(conn, "get", Team, id=team_id)


def lock_team(conn: Connection, team_id: UUID) -> Team | None:
    """A team, held until the transaction ends by whoever changes its owners."""
    return _QUERIES.maybe(conn, "lock", Team, id=team_id)


def rename_team(conn: Connection, team_id: UUID, *, name: str) -> bool:
    """Give a team another name; False when another team has it."""
    return _QUERIES.run(conn, "rename", id=team_id, name=name, key=names.key(name)) > 0


def teams_made_by(conn: Connection, user_id: UUID) -> int:
    """How many teams a user has made; the user's row is held until the transaction ends."""
    return _QUERIES.one(conn, "made_by", _Count, user_id=user_id).number


def teams_of(conn: Connection, user_id: UUID) -> list[Membership]:
    """The teams of a user, the one joined first first."""
    return _QUERIES.all(conn, "of_user", Membership, user_id=user_id)


def members(conn: Connection, team_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Member]:
    """The members of a team, in the order they joined, behind the one who joined at ``after``."""
    at, identity = after or (None, None)
    return _QUERIES.all(conn, "members", Member, team_id=team_id, limit=limit, after_at=at, after_id=identity)


def role_of(conn: Connection, team_id: UUID, user_id: UUID) -> TeamRole | None:
    """What a user is in a team; None for a stranger."""
    found = _QUERIES.maybe(conn, "role_of", _Role, team_id=team_id, user_id=user_id)
    return found.role if found else None


def add_member(conn: Connection, team_id: UUID, user_id: UUID, *, role: TeamRole) -> bool:
    """Take a user in; False when they are in."""
    return _QUERIES.run(conn, "add_member", team_id=team_id, user_id=user_id, role=role) > 0


def set_role(conn: Connection, team_id: UUID, user_id: UUID, *, role: TeamRole) -> None:
    """Make a member an owner, or the reverse."""
    _QUERIES.run(conn, "set_role", team_id=team_id, user_id=user_id, role=role)


def remove_member(conn: Connection, team_id: UUID, user_id: UUID) -> None:
    """Put a member out."""
    _QUERIES.run(conn, "remove_member", team_id=team_id, user_id=user_id)


def other_owners(conn: Connection, team_id: UUID, user_id: UUID) -> int:
    """How many owners a team has beside that user."""
    return _QUERIES.one(conn, "other_owners", _Count, team_id=team_id, user_id=user_id).number


def invite(
    conn: Connection, team_id: UUID, *, role: TeamRole, hashed: bytes, invited_by: UUID, lifetime: timedelta
) -> Invitation:
    """Remember an invitation by its hash."""
    row = {"role": role, "hash": hashed, "invited_by": invited_by, "lifetime": lifetime}
    return _QUERIES.one(conn, "invite", Invitation, team_id=team_id, **row)


def open_invitations(conn: Connection, team_id: UUID) -> int:
    """How many invitations of a team can still be accepted."""
    return _QUERIES.one(conn, "open_invitations", _Count, team_id=team_id).number


def invitations(
    conn: Connection, team_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[Invitation]:
    """The invitations of a team, newest first, older than the one made at ``after``."""
    at, identity = after or (None, None)
    return _QUERIES.all(conn, "invitations", Invitation, team_id=team_id, limit=limit, after_at=at, after_id=identity)


def revoke_invitation(conn: Connection, team_id: UUID, invitation_id: UUID) -> bool:
    """End an open invitation; False when there is none such."""
    return _QUERIES.run(conn, "revoke_invitation", id=invitation_id, team_id=team_id) > 0


def offer(conn: Connection, *, hashed: bytes) -> Offer | None:
    """An invitation that can still be accepted."""
    return _QUERIES.maybe(conn, "invitation", Offer, hash=hashed)


def accept(conn: Connection, *, hashed: bytes, user_id: UUID) -> bool:
    """Use an invitation up; False when somebody else has, or it ended meanwhile."""
    return _QUERIES.run(conn, "accept", hash=hashed, user_id=user_id) > 0
