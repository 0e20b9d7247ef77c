"""Signing in: the page, and what other pages need to know of the reader."""

import re
from urllib.parse import parse_qs

from frontend.accounts import Accounts, Me, Ways
from frontend.errors import ClientError
from frontend.render import render
from frontend.views.page import Connect, Page, Visit

_PROBLEMS = {
    "sign-in-stale": "That sign-in was over: older than ten minutes, used already, or begun in another browser.",
    "sign-in-denied": "The provider did not let you in. If you declined, sign in again and accept.",
    "sign-in-failed": "The provider did not take its own answer back. Sign in again.",
    "provider-failed": "The provider did not answer as it should. Try again in a minute, then tell the maintainers.",
}
_OWN_PAGE = re.compile(r"/(?:[a-z][a-z-]*)?(?:\?[A-Za-z0-9_.=&%-]*)?")


def show(connect: Connect, visit: Visit) -> Page:
    """The buttons of the providers; after a sign-in that failed, why it did."""
    query = parse_qs(visit.query)
    problem = (query.get("problem") or [""])[0]
    after = (query.get("next") or [""])[0]
    me, stale = known(connect, visit)
    body = render(
        "sign_in_page.html",
        me=me,
        ways=ways(connect),
        problem=_PROBLEMS.get(problem, "The sign-in did not work. Try again." if problem else ""),
        after=after if _OWN_PAGE.fullmatch(after) else "/account",
    )
    return Page(title="Sign in", description="Sign in to submit and to manage your team.", body=body, forget=stale)


def known(connect: Connect, visit: Visit) -> tuple[Me | None, bool]:
    """Who the reader is (None: not signed in), and whether their session is one that the service knows no more."""
    if not visit.token:
        return None, False
    try:
        with connect(visit.token) as client:
            return Accounts(client).me(), False
    except ClientError as error:
        if error.status != 401:
            raise
    return None, True


def ways(connect: Connect) -> Ways:
    """How one may sign in here."""
    with connect("") as client:
        return Accounts(client).ways()
