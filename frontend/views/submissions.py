"""A team's own submissions, and one submission followed live."""

from dataclasses import replace
from urllib.parse import parse_qs

from frontend.accounts import Accounts
from frontend.client import Client
from frontend.errors import ClientError
from frontend.present import TERMINAL, result_columns, steps
from frontend.render import render
from frontend.resources import Submission
from frontend.team_resources import Progress
from frontend.views.page import Connect, Page, Visit, problem_page
from frontend.views.signing_in import known, ways


def show_all(connect: Connect, visit: Visit) -> Page:
    """The list; a reader who is not signed in is told how to."""
    found: tuple[Submission, ...] = ()
    me, stale = known(connect, visit)
    if me and me.role != "user":
        with connect(visit.token) as client:
            found = client.submissions()
    body = render("submissions.html", submissions=found, me=me, ways=None if me else ways(connect))
    description = "Your team's submissions and their states."
    return Page(title="My submissions", description=description, body=body, forget=stale)


def show_one(connect: Connect, visit: Visit) -> Page:
    """One submission: its way, defects, runs and results. A reader whose token is stale sees what everybody sees."""
    wanted = (parse_qs(visit.query).get("id") or [""])[0]
    if not wanted:
        raise ClientError(
            code="no_submission_named",
            title="No submission is named in the address",
            remedy="Open it from the list of your submissions.",
            status=404,
        )
    try:
        return _one(connect, visit, wanted)
    except ClientError as error:
        if error.status != 401 or not visit.token:
            raise
    return replace(_as_stranger(connect, wanted), forget=True)


def _as_stranger(connect: Connect, wanted: str) -> Page:
    try:
        return _one(connect, Visit(), wanted)
    except ClientError as error:
        if error.status == 404:
            error.remedy = "Your session is over. If the submission is your team's, sign in again."
        return problem_page(error)


def _progress(client: Client, submission: Submission) -> Progress | None:
    """How far it is, for those who may know and while something is to come."""
    if submission.state in TERMINAL or submission.state == "created":
        return None
    try:
        return client.progress(submission.id)
    except ClientError:
        return None


def _one(connect: Connect, visit: Visit, wanted: str) -> Page:
    with connect(visit.token) as client:
        team = Accounts(client).me().team_name if visit.token else ""
        submission = client.submission(wanted)
        benchmark = client.benchmark(submission.benchmark)
        progress = _progress(client, submission) if visit.token else None
    body = render(
        "submission.html",
        submission=submission,
        progress=progress,
        benchmark=benchmark,
        titles={subset.id: subset.title for subset in benchmark.subsets},
        steps=steps(submission),
        columns=result_columns(submission.results or {}),
        own=bool(team) and submission.team in ("", team),
    )
    return Page(title=f"{submission.model}: submission", description="A submission and its results.", body=body)
