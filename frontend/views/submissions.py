"""A team's own submissions, and one submission followed live."""

from urllib.parse import parse_qs

from frontend.errors import ClientError
from frontend.present import result_columns, steps
from frontend.render import render
from frontend.resources import Submission
from frontend.views.page import Connect, Page, Visit


def show_all(connect: Connect, visit: Visit) -> Page:
    """The list; without a token it says how to get one."""
    found: tuple[Submission, ...] = ()
    if visit.token:
        with connect(visit.token) as client:
            try:
                found = client.submissions()
            except ClientError as error:
                if error.status != 401:
                    raise
                visit = Visit(query=visit.query)
    body = render("submissions.html", submissions=found, logged_in=bool(visit.token))
    return Page(title="My submissions", description="Your team's submissions and their states.", body=body)


def show_one(connect: Connect, visit: Visit) -> Page:
    """One submission: its way, defects, runs and results."""
    wanted = (parse_qs(visit.query).get("id") or [""])[0]
    if not wanted:
        raise ClientError(
            code="no_submission_named",
            title="No submission is named in the address",
            remedy="Open it from the list of your submissions.",
            status=404,
        )
    with connect(visit.token) as client:
        submission = client.submission(wanted)
        benchmark = client.benchmark(submission.benchmark)
    body = render(
        "submission.html",
        submission=submission,
        benchmark=benchmark,
        titles={subset.id: subset.title for subset in benchmark.subsets},
        steps=steps(submission),
        columns=result_columns(submission.results or {}),
        own=bool(visit.token) and submission.team in ("", visit.team),
    )
    return Page(title=f"{submission.model}: submission", description="A submission and its results.", body=body)
