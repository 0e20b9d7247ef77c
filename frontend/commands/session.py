"""What every command shares: the address, the identity, the console, and how errors end the program."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape

from frontend.client import Client
from frontend.connection import Credential, credentials_file, find_url, save, saved
from frontend.errors import ClientError

_ENDLESS = 10_000  # columns


class Exit(IntEnum):
    """How a command ends (after sysexits.h)."""

    OK = 0
    REJECTED = 65
    NOT_FOUND = 66
    UNAVAILABLE = 69
    FAILED = 70
    TRY_AGAIN = 75
    NOT_ALLOWED = 77
    INTERRUPTED = 130


def exit_for(error: ClientError) -> Exit:
    """The exit code that an error of the service maps to."""
    by_status = {401: Exit.NOT_ALLOWED, 403: Exit.NOT_ALLOWED, 404: Exit.NOT_FOUND, 429: Exit.TRY_AGAIN}
    if error.status == 0:
        return Exit.NOT_ALLOWED if error.code in ("no_token", "malformed_token") else Exit.UNAVAILABLE
    if error.status in (502, 503, 504):
        return Exit.TRY_AGAIN
    return by_status.get(error.status, Exit.FAILED if error.status >= 500 else Exit.REJECTED)


class Session:
    """One run of a command against one service. Results go to `out`, everything else to `err`."""

    def __init__(self, *, url: str = "", token: str = "", team: str = "") -> None:
        self.url = find_url(given=url, environment=os.environ, folder=Path.cwd())
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)
        self._token = (token or os.environ.get("GSI_TOKEN", "")).strip()
        self._team = team
        self._file = credentials_file(os.environ)

    def anybody(self) -> Client:
        """A client for what needs no identity, with one if there is one."""
        kept = saved(self._file, url=self.url)
        return Client(url=self.url, token=self._token or (kept.token if kept else ""))

    def member(self) -> Client:
        """A client that speaks for a team or a maintainer; raises ClientError when it is not known which."""
        return Client(url=self.url, token=self._token or self._find())

    def _find(self) -> str:
        kept = saved(self._file, url=self.url)
        if kept and self._team in ("", kept.team):
            return kept.token
        if self._team:
            return self.log_in(team=self._team).token
        raise ClientError(
            code="no_token",
            title="It is not known who you are",
            detail=f"No token is saved for {self.url}.",
            remedy="Add --team NAME (development login), run `gsi login`, or set GSI_TOKEN.",
        )

    def log_in(self, *, team: str = "", maintainer: bool = False) -> Credential:
        """Log in by the development login and save the token for this service."""
        with Client(url=self.url) as client:
            try:
                login = client.login(team=team, maintainer=maintainer)
            except ClientError as error:
                if error.status == 404:
                    error.title = "This service has no development login"
                    error.detail = ""
                    error.remedy = "Run `gsi login` and paste a token from the website's account page."
                raise
        return self._keep(token=login.token, team=login.team)

    def adopt(self, token: str, *, team: str = "") -> Credential:
        """Save a token that the service knows; raises ClientError, and saves nothing, when it does not or is away."""
        token = token.strip()
        with Client(url=self.url, token=token) as client:
            try:
                team = client.team_of_token() or team
            except ClientError as error:
                if error.status == 401:
                    error.title = "The service does not know this token"
                    error.detail = f"Nothing was saved for {self.url}."
                    error.remedy = "Copy it again, whole, or get a new one; a token is good for one service only."
                raise
        return self._keep(token=token, team=team)

    def renamed(self, team: str) -> None:
        """The team of the saved token has another name now."""
        kept = saved(self._file, url=self.url)
        if kept and not self._token:
            self._keep(token=kept.token, team=team)

    def _keep(self, *, token: str, team: str) -> Credential:
        credential = Credential(token=token, team=team)
        save(self._file, url=self.url, credential=credential)
        return credential

    def json(self, value: Any) -> None:
        """Write a result for programs."""
        sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")

    @contextmanager
    def errors(self) -> Iterator[None]:
        """End the program with a readable error and a meaningful exit code."""
        try:
            yield
        except ClientError as error:
            self.tell(error)
            raise typer.Exit(exit_for(error)) from error
        except KeyboardInterrupt:
            self.err.print("Stopped.")
            raise typer.Exit(Exit.INTERRUPTED) from None

    def tell(self, error: ClientError) -> None:
        """An error on stderr: what, why, what to do."""
        self.err.print(f"[bold red]{escape(error.title)}[/]", soft_wrap=True)
        if error.detail:
            self.err.print(escape(error.detail), soft_wrap=True)
        if error.remedy:
            self.err.print(f"[dim]To mend:[/] {escape(error.remedy)}", soft_wrap=True)


def _console(stream: TextIO) -> Console:
    """A console as wide as its terminal. Without one nothing is ever folded or cut: it goes to a file or a program."""
    return Console(file=stream, highlight=False, width=None if stream.isatty() else _ENDLESS)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
