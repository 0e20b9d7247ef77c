"""What the service tells of accounts (who one is, teams, invitations, tokens), and how it is asked to change them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from frontend.addresses import path_of
from frontend.answers import read
from frontend.client import Client

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where users sign in."""

    id: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Ways:
    """All ways to sign in; `development` where any team's name does."""

    providers: tuple[Provider, ...]
    development: bool

    @classmethod
    def read(cls, data: Json) -> Self:
        """From GET /sign-in."""
        providers = tuple(Provider(id=str(one["id"]), title=str(one["title"])) for one in data["providers"])
        return cls(providers=providers, development=bool(data["development"]))


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A team and what one is in it: owner or member."""

    id: str
    name: str
    role: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From a member of `teams`."""
        return cls(id=str(data["id"]), name=str(data["name"]), role=str(data["role"]))


@dataclass(frozen=True, kw_only=True)
class Me:
    """Who one is; `role` is team, maintainer or user, who acts for nobody."""

    id: str
    name: str
    email: str
    role: str
    team: Membership | None
    teams: tuple[Membership, ...]
    may_maintain: bool

    @classmethod
    def read(cls, data: Json) -> Self:
        """From GET /me."""
        team = data.get("team")
        return cls(
            id=str(data["id"]),
            name=str(data["name"]),
            email=str(data.get("email") or ""),
            role=str(data["role"]),
            team=Membership.read(team) if team else None,
            teams=tuple(Membership.read(one) for one in data.get("teams") or ()),
            may_maintain=bool(data.get("may_maintain")),
        )

    @property
    def team_name(self) -> str:
        """The team one acts for; empty for none."""
        return self.team.name if self.team else ""


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody in a team."""

    id: str
    name: str
    role: str

    @classmethod
    def read(cls, data: Json) -> Self:
        """From a member of `members`."""
        return cls(id=str(data["user_id"]), name=str(data["name"]), role=str(data["role"]))


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invitation; `state` is open, over, accepted or revoked."""

    id: str
    role: str
    state: str
    expires_at: str
    accepted_by: str
    code: str = ""
    link: str = ""

    @classmethod
    def read(cls, data: Json) -> Self:
        """From a member of `invitations`, or a fresh one with its code and link."""
        over = datetime.fromisoformat(str(data["expires_at"])) < datetime.now(UTC)
        state = "over" if over else "open"
        return cls(
            id=str(data["id"]),
            role=str(data["role"]),
            state="accepted" if data.get("accepted_at") else "revoked" if data.get("revoked_at") else state,
            expires_at=str(data["expires_at"]),
            accepted_by=str(data.get("accepted_by") or ""),
            code=str(data.get("code") or ""),
            link=str(data.get("link") or ""),
        )


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token by its prefix; `secret` is there only in the answer to its making."""

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    team: str
    expires_at: str
    used_at: str
    revoked_at: str
    secret: str = ""

    @classmethod
    def read(cls, data: Json) -> Self:
        """From a member of `tokens`, or a fresh one with its secret."""
        return cls(
            id=str(data["id"]),
            name=str(data["name"]),
            prefix=str(data["prefix"]),
            scopes=tuple(str(one) for one in data["scopes"]),
            team=str(data.get("team_name") or ""),
            expires_at=str(data["expires_at"]),
            used_at=str(data.get("used_at") or ""),
            revoked_at=str(data.get("revoked_at") or ""),
            secret=str(data.get("token") or ""),
        )


class Accounts:
    """The accounts' part of the API, asked by `client`. Every method raises ClientError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def ways(self) -> Ways:
        """How one may sign in."""
        return read(Ways.read, self._client.json("GET", "/sign-in"))

    def me(self) -> Me:
        """Who one is."""
        return read(Me.read, self._client.json("GET", "/me"))

    def rename_team(self, team: str, name: str) -> None:
        """Give a team another name."""
        self._client.json("PATCH", path_of("teams", team), json={"name": name})

    def members(self, team: str) -> tuple[Member, ...]:
        """Who is in a team."""
        return self._client.every(Member.read, path_of("teams", team, "members"), key="members")

    def set_role(self, team: str, member: str, role: str) -> None:
        """Make a member an owner, or the reverse."""
        self._client.json("PATCH", path_of("teams", team, "members", member), json={"role": role})

    def remove_member(self, team: str, member: str) -> None:
        """Put a member out; oneself to leave."""
        self._client.json("DELETE", path_of("teams", team, "members", member))

    def invite(self, team: str, *, role: str) -> Invitation:
        """Invite one person; code and link are told this once."""
        path = path_of("teams", team, "invitations")
        return read(Invitation.read, self._client.json("POST", path, json={"role": role}))

    def invitations(self, team: str) -> tuple[Invitation, ...]:
        """A team's invitations, newest first."""
        return self._client.every(Invitation.read, path_of("teams", team, "invitations"), key="invitations")

    def revoke_invitation(self, team: str, invitation: str) -> None:
        """End an open invitation."""
        self._client.json("DELETE", path_of("teams", team, "invitations", invitation))

    def tokens(self) -> tuple[Token, ...]:
        """One's own tokens, newest first."""
        return self._client.every(Token.read, "/tokens", key="tokens")

    def make_token(self, *, name: str, scopes: Iterable[str], days: int | None) -> Token:
        """Make a token; its secret is told this once."""
        wish = {"name": name, "scopes": sorted(scopes), **({"days": days} if days else {})}
        return read(Token.read, self._client.json("POST", "/tokens", json=wish))

    def revoke_token(self, token: str) -> None:
        """End a token at once."""
        self._client.json("DELETE", path_of("tokens", token))
