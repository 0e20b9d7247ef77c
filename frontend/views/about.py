"""The page that explains the protocol, the boards and what the numbers can and cannot say."""

from frontend.render import render
from frontend.views.page import Connect, Page, Visit


def show(connect: Connect, visit: Visit) -> Page:
    """The explanation; it needs nothing of the service."""
    del connect, visit
    return Page(
        title="About the protocol",
        description="What IC, SA, AC and EL measure, what the subsets hold, and what Blocks can and cannot show.",
        body=render("about.html"),
    )
