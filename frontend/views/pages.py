"""The site's map: which address shows what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from frontend.errors import ClientError
from frontend.views import about, account, leaderboard, signing_in, submissions, submit
from frontend.views.page import Connect, Page, Visit, problem_page


@dataclass(frozen=True, kw_only=True)
class View:
    """A page of the site: its name in Gradio, the function that renders it and its scripts in assets/, in order."""

    name: str
    render: Callable[[Connect, Visit], Page]
    scripts: tuple[str, ...]


PAGES: Mapping[str, View] = MappingProxyType(
    {
        "/": View(name="Leaderboard", render=leaderboard.show, scripts=("leaderboard.js",)),
        "/submit": View(name="Submit", render=submit.show, scripts=("upload.js", "submit.js")),
        "/submissions": View(name="My submissions", render=submissions.show_all, scripts=("submissions.js",)),
        "/submission": View(name="Submission", render=submissions.show_one, scripts=("submission.js",)),
        "/account": View(name="Account", render=account.show, scripts=("account.js",)),
        "/sign-in": View(name="Sign in", render=signing_in.show, scripts=("sign-in.js",)),
        "/about": View(name="About", render=about.show, scripts=("about.js",)),
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
