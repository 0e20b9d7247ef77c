"""The page where a team hands in a zip."""

from frontend.render import render
from frontend.views.page import Connect, Page, Visit
from frontend.views.signing_in import known, ways


def show(connect: Connect, visit: Visit) -> Page:
    """The form for the benchmarks that accept submissions."""
    with connect("") as client:
        open_boards = [benchmark for benchmark in client.benchmarks() if benchmark.accepts_submissions]
    me, stale = known(connect, visit)
    found = ways(connect)
    return Page(
        title="Submit",
        description="Hand in edited images as a zip and have them scored.",
        body=render("submit.html", benchmarks=open_boards, me=me, ways=found),
        forget=stale,
    )
