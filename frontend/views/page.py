"""What a page is, and how a page tells of an error."""

from collections.abc import Callable
from dataclasses import dataclass

from frontend.client import Client
from frontend.errors import ClientError
from frontend.render import render


@dataclass(frozen=True, kw_only=True)
class Page:
    """A rendered page: `title` for the window, `description` for search engines, `body` as HTML, HTTP `status`.

    `error` is what the page tells of, if it tells of one; `forget` is set when the service knew the reader's token no
    more: the browser is told to drop it.
    """

    title: str
    description: str
    body: str
    status: int = 200
    forget: bool = False
    error: ClientError | None = None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visit: the address's query (without the question mark), the secret of the reader's session (empty: none)."""

    query: str = ""
    token: str = ""


Connect = Callable[[str], Client]


def problem_page(error: ClientError) -> Page:
    """A page that says what went wrong and what to do."""
    status = error.status if 400 <= error.status < 600 else 503
    return Page(title=error.title, description="", body=render("problem.html", error=error), status=status, error=error)
