"""The site's map: which address shows what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from frontend.errors import ClientError
from frontend.views import about, account, leaderboard, signing_in, submissions, submit
from frontend.views.page import Connect, Page, Visit, problem_page


@dataclass(frozen=True, kw_only=True)
class View:
    """A page of the site: its name in Gradio, the function that renders it and its script in assets/."""

    name: str
    render: Callable[[Connect, Visit], Page]
    script: str


PAGES: Mapping[str, View] = MappingProxyType(
    {
        "/": View(name="Leaderboard", render=leaderboard.show, script="leaderboard.js"),
        "/submit": View(name="Submit", render=submit.show, script="submit.js"),
        "/submissions": View(name="My submissions", render=submissions.show_all, script="submissions.js"),
        "/submission": View(name="Submission", render=submissions.show_one, script="submission.js"),
        "/account": View(name="Account", render=account.show, script="account.js"),
        "/sign-in": View(name="Sign in", render=signing_in.show, script="sign-in.js"),
        "/about": View(name="About", render=about.show, script="about.js"),
    }
)

Show = Callable[[View, Visit], Page]


def shower(connect: Connect) -> Show:
    """A function that renders any view and turns the service's refusals into a page."""

    def show(view: View, visit: Visit) -> Page:
        try:
            return view.render(connect, visit)
        except ClientError as error:
            return problem_page(error)

    return show
